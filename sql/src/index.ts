export { installedVersion, installModules } from "./installer.ts";
export {
  type ModuleEntry,
  type ModuleName,
  moduleCatalog,
  moduleSql,
  uninstallSql,
} from "./module-catalog.ts";
