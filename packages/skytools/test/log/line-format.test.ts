import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { classicTimestamp, formatDate } from "#src/log/date-format.js";
import { LineFormatError, parseLineFormat } from "#src/log/line-format.js";

const time = new Date(2024, 4, 1, 12, 0, 7, 123);
const text = "a %(message)s %";
const record = { time, level: "warn", message: text, stack: undefined, text, json: "{}" } as const;
const origin = { serviceName: "svc", jobName: "job", pid: 4711, hostName: "h1", hostAddress: "10.0.0.1" };

function line(format: string, dateFormat = ""): string {
  return parseLineFormat(format, dateFormat)(record, origin);
}

test("the classic line", () => {
  assert.equal(
    line("%(asctime)s %(process)s %(levelname)s %(message)s"),
    "2024-05-01 12:00:07,123 4711 WARNING a %(message)s %",
  );
});

test("every placeholder", () => {
  assert.equal(
    line(
      "%(name)s %(job_name)s %(service_name)s %(hostname)s %(hostaddr)s %(levelno)d %(process)d %(msecs)03d",
    ),
    "job job svc h1 10.0.0.1 30 4711 123",
  );
  assert.equal(line("%(created)f"), `${(time.getTime() / 1000).toFixed(6)}`);
});

test("widths, precision and literal percents", () => {
  assert.equal(
    line("<%(levelname)-8s|%(levelname)9s|%(levelname).4s|%(process)06d> 100%%"),
    "<WARNING |  WARNING|WARN|004711> 100%",
  );
});

test("a date format replaces the timestamp", () => {
  assert.equal(line("%(asctime)s", "%d/%b %H:%M"), "01/May 12:00");
});

for (const [format, message] of [
  ["%(nope)s", /unknown placeholder "nope"/],
  ["%(constructor)s", /unknown placeholder "constructor"/],
  ["%(hasOwnProperty)s", /unknown placeholder "hasOwnProperty"/],
  ["%(message)999999999s", /%\(message\)999999999s, which is too wide/],
  ["%(created).101f", /%\(created\)\.101f, which is too wide/],
  ["50% of", /"%" that belongs to no placeholder/],
  ["%(message)", /"%" that belongs to no placeholder/],
] as const) {
  test(`the format "${format}" is refused`, () => {
    assert.throws(
      () => parseLineFormat(format, ""),
      (error) => error instanceof LineFormatError && message.test(error.message),
    );
  });
}

test("strftime directives", () => {
  assert.equal(
    formatDate(time, "%Y-%m-%d %H:%M:%S %y %e %j %I%p %a %A %b %B %D %F %T %R %%"),
    "2024-05-01 12:00:07 24  1 122 12PM Wed Wednesday May May 05/01/24 2024-05-01 12:00:07 12:00 %",
  );
  assert.equal(formatDate(time, "%s"), String(Math.floor(time.getTime() / 1000)));
  assert.match(formatDate(time, "%z"), /^[+-]\d{4}$/);
  assert.equal(formatDate(time, "%Q"), "%Q");
});

test("timestamps sort as their times do (property)", () => {
  const date = fc.date({ min: new Date(2000, 0, 1), max: new Date(2037, 0, 1), noInvalidDate: true });
  fc.assert(
    fc.property(date, (value) => {
      const text = classicTimestamp(value);
      assert.match(text, /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}$/);
      const again = new Date(text.replace(" ", "T").replace(",", "."));
      // The hour that comes twice when summer time ends stands for two times.
      assert.ok(Math.abs(again.getTime() - value.getTime()) % 3_600_000 === 0);
    }),
  );
});
