// Why a request got no response.

/** The guest gave no response that could be passed on; `outcome` is the word that a node uses for it. */
export class GuestError extends Error {
  constructor(outcome, message, options) {
    super(message, options);
    this.name = "GuestError";
    this.outcome = outcome;
  }

  /** Whatever ended a guest. Anything that is not ours came out of its code. */
  static of(error) {
    if (error instanceof GuestError) return error;
    return new GuestError("trap", `the guest trapped: ${error?.message ?? error}`, { cause: error });
  }
}

/** The guest ended itself with this status. */
export class Exit extends Error {
  constructor(status) {
    super(`the guest exited with status ${status}`);
    this.status = status;
  }
}
