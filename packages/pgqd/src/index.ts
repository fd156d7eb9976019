export { type SettingDefinition, type SettingType, sampleFile, settingTable } from "./setting-table.ts";
