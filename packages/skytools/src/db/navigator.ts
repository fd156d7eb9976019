// The driver looks at the navigator to know its runtime. Node has one since release 21; without it the driver goes on to look at
// the classes of fetch, whose loading is a tenth of a program's start.
if (!("navigator" in globalThis)) {
  const userAgent = `Node.js/${process.versions.node.split(".")[0]}`;
  Object.defineProperty(globalThis, "navigator", {
    value: { userAgent },
    configurable: true,
    writable: true,
  });
}
