import type { Switch } from "@skytools/skytools";

export const deadSwitch: Switch = {
  flags: "--dead <node>",
  doc: "treat this node as dead in this run",
  repeatable: true,
};

export const nodeSwitch: Switch = {
  flags: "--node <name>",
  doc: "the node that is meant. Default: the local node",
};

export const consumerSwitch: Switch = {
  flags: "--consumer <name>",
  doc: "the consumer that is meant. Default: the worker of the node",
};
