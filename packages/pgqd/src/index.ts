export {
  listMaintenance,
  type MaintenanceOperation,
  moveRetryEvents,
  runMaintenance,
  tick,
} from "./pgq-calls.ts";
export { type SettingDefinition, type SettingType, sampleFile, settingTable } from "./setting-table.ts";
