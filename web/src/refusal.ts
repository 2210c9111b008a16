// The two ways in which a request can fail.

/** Nobody answered, or not in time: the network or the server is away. */
export class Away extends Error {}

/** The server answered and said no; `code` is its reason. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly texts: { zh: string; en: string } | null = null,
    readonly nowMs: number | null = null,
    /** Where a shorter code would be given: until when it may last. */
    readonly latestEndMs: number | null = null,
  ) {
    super(code);
  }
}
