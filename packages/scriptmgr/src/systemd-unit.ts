import type { ManagedJob } from "./managed-job.ts";

/** Name of the unit of a job. Characters that a unit's name may not have are written as systemd does, `\x2d` and so on.
 * Source: systemd.unit(5), "String Escaping for Inclusion in Unit Names" */
export function unitName({ name, service }: ManagedJob): string {
  return `${escaped(service.name)}-${escaped(name)}.service`;
}

/** The unit that runs a job in the foreground, under systemd in place of pidfiles.
 * Source: spec/packaging-docs.md 3 */
export function systemdUnit(managed: ManagedJob): string {
  const { name, service, configFile } = managed;
  const command = [...service.command, configFile, ...service.args];
  return `[Unit]
Description=${onOneLine(`${service.name} ${name}`)}
Wants=network-online.target
After=network-online.target postgresql.service
StartLimitIntervalSec=600
StartLimitBurst=5
PartOf=skytools.target

[Service]
Type=notify
NotifyAccess=all
${service.user === undefined ? "" : `User=${onOneLine(service.user)}\n`}WorkingDirectory=${onOneLine(service.workingDirectory)}
ExecStart=${command.map(quoted).join(" ")}
ExecReload=/bin/kill -HUP $MAINPID
KillSignal=SIGINT
RestartKillSignal=SIGINT
TimeoutStopSec=60
SuccessExitStatus=143
Restart=on-failure
RestartSec=5
NoNewPrivileges=yes

[Install]
WantedBy=skytools.target
`;
}

function escaped(name: string): string {
  return Array.from(Buffer.from(name), (byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9_.]/.test(char)
      ? char
      : char === "-"
        ? char
        : `\\x${byte.toString(16).padStart(2, "0")}`;
  }).join("");
}

/** The rest of a line, where `%` begins a name of systemd's, a line's end would begin another setting, and a backslash at the
 * end would swallow the next one. */
function onOneLine(text: string): string {
  return text
    .replaceAll("%", "%%")
    .replace(/\s*[\r\n]\s*/g, " ")
    .replace(/\\$/, "\\ ");
}

/** A word of a command line of systemd. Source: systemd.service(5), "Command Lines" */
function quoted(word: string): string {
  const text = word
    .replaceAll("\\", "\\\\")
    .replaceAll("%", "%%")
    .replaceAll("$", "$$$$")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r");
  return /^[\w@:,.+/=\\%$-]+$/.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
}
