// The contract of the admin API as its own OpenAPI document states it: which operations there are,
// and whether an answer is one that the document promises.
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

interface MediaTypes {
  readonly [type: string]: { readonly schema: object };
}

interface DocumentedOperation {
  readonly operationId: string;
  readonly requestBody?: { readonly content: MediaTypes };
  readonly responses: Readonly<Record<string, { readonly content?: MediaTypes }>>;
}

export interface OpenapiDocument {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
}

export interface ContractOperation {
  readonly operationId: string;
  /** In upper case. */
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly takesBody: boolean;
  /** What is wrong with such an answer; empty: it is as documented. */
  faults(status: number, type: string, body: unknown): string;
}

/** Throws when the document is not valid OpenAPI. */
export async function contractOf(document: OpenapiDocument): Promise<readonly ContractOperation[]> {
  const verdict = await new Validator().validate({ ...structuredClone(document) });
  if (!verdict.valid) throw new Error(JSON.stringify(verdict.errors, null, 2));
  // OpenAPI has keywords beside those of JSON Schema.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'document');
  const pointer = (...parts: readonly string[]) =>
    parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')));
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): ContractOperation => {
      const { operationId, requestBody, responses } = operation;
      return {
        operationId,
        method: method.toUpperCase(),
        path,
        takesBody: requestBody !== undefined,
        faults(status, type, body) {
          const key = String(status) in responses ? String(status) : 'default';
          if (responses[key]?.content?.[type] === undefined)
            return `${status} ${type} is unheard of`;
          const at = pointer('paths', path, method, 'responses', key, 'content', type, 'schema');
          const validate = ajv.getSchema(`document#/${at.join('/')}`);
          if (validate === undefined) return `no schema at ${at.join('/')}`;
          return validate(body) ? '' : ajv.errorsText(validate.errors);
        },
      };
    }),
  );
}
