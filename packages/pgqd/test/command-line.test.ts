import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseCommandLine } from "#src/command-line.js";

describe("the command line of pgqd", () => {
  it("takes bundled short switches anywhere", () => {
    assert.deepEqual(parseCommandLine(["-vd", "x.ini", "-vq"]), {
      kind: "run",
      file: "x.ini",
      verbosity: 2,
      isQuiet: true,
      isDaemon: true,
    });
  });

  const signals: [string[], NodeJS.Signals][] = [
    [["-s", "x.ini"], "SIGINT"],
    [["-k", "x.ini"], "SIGTERM"],
    [["-r", "x.ini"], "SIGHUP"],
    [["-rs", "x.ini", "-k"], "SIGTERM"],
  ];
  for (const [args, signal] of signals) {
    it(`sends ${signal} for ${args.join(" ")}`, () => {
      assert.deepEqual(parseCommandLine(args), { kind: "signal", file: "x.ini", signal });
    });
  }

  it("finds --ini and --help anywhere, whatever else is there", () => {
    assert.deepEqual(parseCommandLine(["-x", "a", "b", "--ini"]), { kind: "sample" });
    assert.deepEqual(parseCommandLine(["--nothing", "--help"]), { kind: "help" });
    assert.deepEqual(parseCommandLine(["-V"]), { kind: "version" });
    assert.deepEqual(parseCommandLine(["--json", "--help"]), { kind: "description" });
  });

  it("checks a file without starting", () => {
    assert.deepEqual(parseCommandLine(["--check", "x.ini"]), { kind: "check", file: "x.ini" });
    assert.equal(parseCommandLine(["--check"]).kind, "wrong");
  });

  it("needs exactly one file", () => {
    assert.equal(parseCommandLine([]).kind, "wrong");
    assert.equal(parseCommandLine(["a.ini", "b.ini"]).kind, "wrong");
  });

  it("knows no switches of other programs", () => {
    assert.deepEqual(parseCommandLine(["--set=a=b", "x.ini"]), {
      kind: "wrong",
      message: "unknown switch: --set=a=b",
      isUsageShown: true,
    });
  });
});
