// Api: the operations of /api/v1. One added here is served, described in the OpenAPI document and
// guarded by its role; there is no other way to serve one, so none can be forgotten.
import { OpenAPIHono, type RouteConfig, type RouteHandler } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { HTTPException } from 'hono/http-exception';
import type { z } from 'zod';
import type { AdminRole } from '../model/config.js';
import { refusalSchema, refuse } from './refusal.js';

/** An operation as the document describes it. A part of a path in braces is one segment. */
export type ApiRoute = Omit<RouteConfig, 'middleware' | 'security' | 'hide'> & {
  /** Who may ask it. */
  readonly role: AdminRole;
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  readonly path: `/api/v1/${string}`;
  /** Its name in clients made from the document, and in the log of changes. */
  readonly operationId: string;
  readonly summary: string;
};

export type ApiHandler<R extends ApiRoute> = (
  context: Parameters<RouteHandler<R>>[0],
) => Response | Promise<Response>;

/** What stands before the handler of a route, and before its request has been looked at. */
export type Guard = (route: ApiRoute) => MiddlewareHandler;

export interface Api {
  add<R extends ApiRoute>(route: R, handler: ApiHandler<R>): void;
  /** What has been added so far. */
  readonly routes: readonly ApiRoute[];
  /** The OpenAPI 3.1 document of all that has been added. */
  document(): object;
}

/** No change needs as much: the largest is the description of one target. */
export const bodyBytesMax = 16_384;

const otherwise = {
  description: 'It is refused, and nothing has changed.',
  content: { 'application/json': { schema: refusalSchema } },
};

export type AdminApp = OpenAPIHono;

/** An empty application to add routes to. */
export function createApiApp(): AdminApp {
  const app = new OpenAPIHono({
    defaultHook: (result, context) => {
      if (result.success) return;
      return refuse(context, 400, 'SLUICE_ADMIN_REQUEST', issueText(result.target, result.error));
    },
  });
  app.onError((error, context) => {
    // What the framework refuses by itself: a body that is not JSON, or of another type.
    if (!(error instanceof HTTPException)) throw error;
    const isType = error.status === 415;
    const why = isType ? 'the body is not application/json' : 'the body is not JSON';
    return refuse(context, isType ? 415 : 400, 'SLUICE_ADMIN_REQUEST', why);
  });
  return app;
}

export function createApi(app: AdminApp, version: string, guard: Guard): Api {
  const routes: ApiRoute[] = [];
  app.openAPIRegistry.registerComponent('securitySchemes', 'token', {
    type: 'http',
    scheme: 'bearer',
    description: 'Asked for where `admin.tokens` has any. The roles are read and admin.',
  });
  return {
    routes,
    add(route, handler) {
      routes.push(route);
      const { role, ...described }: ApiRoute = route;
      app.openapi(
        {
          ...described,
          security: [{ token: [role] }],
          middleware: [guard(route), limitBody],
          responses: { ...described.responses, default: otherwise },
        } as RouteConfig,
        // Typed by its own route above; here only that it is a handler.
        handler as RouteHandler<RouteConfig>,
      );
    },
    document: () =>
      app.getOpenAPI31Document({
        openapi: '3.1.0',
        info: { title: 'sluice admin API', version },
        servers: [{ url: '/' }],
      }),
  };
}

/** The methods by which a path is served, HEAD aside. */
export function methodsOf(app: AdminApp, path: string): readonly string[] {
  const pattern = (served: string) =>
    new RegExp(`^${served.replaceAll(/[.*+?^$()|[\]\\]/g, '\\$&').replaceAll(/:\w+/g, '[^/]+')}$`);
  const fitting = app.routes.filter(
    (route) => route.method !== 'ALL' && pattern(route.path).test(path),
  );
  return [...new Set(fitting.map(({ method }) => method))];
}

const limitBody = bodyLimit({
  maxSize: bodyBytesMax,
  onError: (context) =>
    refuse(context, 413, 'SLUICE_ADMIN_REQUEST', `more than ${bodyBytesMax} bytes`),
});

/** The first issue only: a program sends one request, a person reads one line. */
function issueText(target: string, error: z.ZodError): string {
  const [issue] = error.issues;
  const where = issue?.path.join('.') ?? '';
  const whole = target === 'json' ? 'the body' : `the ${target}`;
  return `${where === '' ? whole : where}: ${issue?.message ?? ''}`;
}
