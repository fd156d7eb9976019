// What a source file does to files, seen in its syntax tree: all that it takes from node:fs and that changes something.
import { createRequire } from "node:module";

/** The compiler of this workspace has no parser for other programs; the one that the documentation is made with has. */
const ts = createRequire(new URL("../packages/docs/package.json", import.meta.url))("typescript");

const changing = new Set(
  (
    "appendFile chmod chown copyFile cp fchmod fchown ftruncate futimes lchmod lchown link lutimes mkdir mkdtemp " +
    "rename rm rmdir symlink truncate unlink utimes write writeFile writev"
  )
    .split(" ")
    .flatMap((name) => [name, `${name}Sync`]),
);
const opening = new Set(["open", "openSync"]);
const fileModules = new Set(["fs", "fs/promises", "node:fs", "node:fs/promises"]);
/** What flags may consist of that let nothing be written. */
const readingFlags = new Set([
  "constants",
  "O_RDONLY",
  "O_NOFOLLOW",
  "O_DIRECTORY",
  "O_NONBLOCK",
  "O_NOATIME",
]);

/** @param path for messages of the parser
 * @returns the functions of node:fs that the file changes something with, by the name that they have there, `*` for all of it;
 * and the line */
export function fileEffects(path, text) {
  const tree = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found = [];
  const note = (name, node) =>
    found.push({ name, line: tree.getLineAndCharacterOfPosition(node.getStart(tree)).line + 1 });
  /** Local names of what opens files. */
  const openers = new Map();
  for (const statement of tree.statements) {
    if (!ts.isImportDeclaration(statement) || !fileModules.has(statement.moduleSpecifier.text)) continue;
    const clause = statement.importClause;
    if (clause === undefined || clause.isTypeOnly) continue;
    const names = clause.namedBindings;
    if (clause.name !== undefined || names === undefined || !ts.isNamedImports(names)) {
      note("*", statement);
      continue;
    }
    for (const each of names.elements) {
      if (each.isTypeOnly) continue;
      const name = (each.propertyName ?? each.name).text;
      if (changing.has(name) || name === "createWriteStream" || name === "promises" || name === "default")
        note(name, each);
      if (opening.has(name)) openers.set(each.name.text, name);
    }
  }
  const visit = (node) => {
    if (ts.isCallExpression(node) && isFileModuleCall(node)) note("*", node);
    if (ts.isIdentifier(node) && openers.has(node.text) && !isName(node) && !opensToRead(node))
      note(openers.get(node.text), node);
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}

/** import("node:fs"), require("node:fs") */
function isFileModuleCall({ expression, arguments: [first] }) {
  const isLoading = expression.kind === ts.SyntaxKind.ImportKeyword || expression.getText() === "require";
  return isLoading && first !== undefined && ts.isStringLiteralLike(first) && fileModules.has(first.text);
}

/** What is called so, and is not the function: an import, a method, a member of something. */
function isName(node) {
  const { parent } = node;
  return (
    ts.isImportSpecifier(parent) ||
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    ((ts.isMethodDeclaration(parent) ||
      ts.isMethodSignature(parent) ||
      ts.isPropertyAssignment(parent) ||
      ts.isPropertySignature(parent)) &&
      parent.name === node)
  );
}

/** A call with flags that can be seen to allow no more than reading. */
function opensToRead(node) {
  const call = node.parent;
  if (!ts.isCallExpression(call) || call.expression !== node) return false;
  const flags = call.arguments[1];
  if (flags === undefined) return true;
  if (ts.isStringLiteralLike(flags)) return flags.text === "r";
  let isReading = true;
  const look = (part) => {
    if (ts.isIdentifier(part)) isReading &&= readingFlags.has(part.text);
    else if (ts.isLiteralExpression(part) || ts.isCallExpression(part)) isReading = false;
    ts.forEachChild(part, look);
  };
  look(flags);
  return isReading;
}
