// Pager: a few of many, so that thousands of rows stay quick and readable.
export interface PageOf<Item> {
  readonly items: readonly Item[];
  readonly page: number;
  readonly pages: number;
  readonly from: number;
  readonly total: number;
}

/** A page that does not exist any more is the last one. Pure. */
export function pageOf<Item>(all: readonly Item[], wanted: number, size: number): PageOf<Item> {
  const pages = Math.max(1, Math.ceil(all.length / size));
  const page = Math.min(Math.max(0, wanted), pages - 1);
  const from = page * size;
  return { items: all.slice(from, from + size), page, pages, from, total: all.length };
}

export interface PagerProps extends PageOf<unknown> {
  readonly what: string;
  readonly go: (page: number) => void;
}

export function Pager({ items, page, pages, from, total, what, go }: PagerProps) {
  if (pages === 1) return null;
  return (
    <nav class="row" aria-label={`pages of ${what}`}>
      <button type="button" disabled={page === 0} onClick={() => go(page - 1)}>
        Previous
      </button>
      <span>
        {from + 1} to {from + items.length} of {total} {what}
      </span>
      <button type="button" disabled={page === pages - 1} onClick={() => go(page + 1)}>
        Next
      </button>
    </nav>
  );
}
