// Web PKI simulator (TEST): a failure as the real client tells it.

/** A refusal with one of the client's codes, such as `certificate_not_found`. */
export class Refusal extends Error {
  /**
   * @param {string} code wire code of the client
   * @param {string} message developer English; the page must decide on the code alone
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }

  /** The `exception` member of a response. */
  toException() {
    return {
      message: `${this.message} (Web PKI simulator, TEST)`,
      complete: `${this.code}: ${this.message}`,
      userMessage: `${this.message} (simulador, TESTE)`,
      origin: "eventpage",
      code: this.code,
    };
  }
}
