export { installedVersion, installModules } from "./installer.ts";
export {
  type ModuleEntry,
  type ModuleName,
  moduleCatalog,
  moduleSql,
  uninstallSql,
} from "./module-catalog.ts";
export {
  type CreatedFunction,
  createdFunctions,
  type FunctionArgument,
} from "./sql-text/created-functions.ts";
export { isWord, joinedText, wordOf } from "./sql-text/token-text.ts";
export type { AttributeDifference, Finding } from "./surface/compare-surfaces.ts";
export { examineModules, type ModuleExamination } from "./surface/examine-modules.ts";
export { compareVersions } from "./version-order.ts";
