/** A message that the server sent beside the results (RAISE NOTICE, warnings of DDL). */
export interface Notice {
  /** NOTICE, WARNING, INFO, LOG or DEBUG */
  readonly severity: string;
  readonly message: string;
  readonly detail: string | undefined;
  readonly hint: string | undefined;
  /** SQLSTATE, 00000 for a plain notice */
  readonly sqlState: string;
}

interface DriverNotice {
  readonly severity?: string | undefined;
  readonly message?: string | undefined;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
  readonly code?: string | undefined;
}

export function noticeOf(notice: DriverNotice): Notice {
  return {
    severity: notice.severity ?? "NOTICE",
    message: notice.message ?? "",
    detail: notice.detail,
    hint: notice.hint,
    sqlState: notice.code ?? "00000",
  };
}
