import type { NodeStatus, QueueStatus } from "./node-status.ts";

const infoColumn = 30;
const compactColumn = 60;
const alarmingLagSeconds = 60;

interface TreeNode {
  readonly status: NodeStatus;
  readonly children: readonly TreeNode[];
  readonly depth: number;
  readonly size: number;
}

/** How nodes are shown. */
export interface StatusLook {
  /** red for a lag above a minute */
  readonly isColored: boolean;
  /** a line with the parts of the lag */
  readonly hasLegs: boolean;
}

/** The tree that `status` prints. Nodes whose provider is unknown start trees of their own, and so does one node of each
 * circle of providers.
 * Source: spec/cascade.md 11.1 */
export function statusTree(status: QueueStatus, look: StatusLook): string {
  const lines = [`Queue: ${status.queueName}   Local node: ${status.localNode}`, ""];
  for (const tree of buildTrees(status.nodes)) drawNode(lines, tree, "", "", look);
  return `${lines.join("\n")}\n`;
}

/** One line a node. */
export function compactStatus(status: QueueStatus, look: StatusLook): string {
  const lines = [`Queue: ${status.queueName}   Local node: ${status.localNode}`, ""];
  const draw = (tree: TreeNode, level: number) => {
    const infos = infoLines(tree.status, look).map((info) => info.padEnd(infoColumn));
    lines.push(
      `${`${"   ".repeat(level)}${nodeTitle(tree.status)}`.padEnd(compactColumn)}${infos.join("")}`.trimEnd(),
    );
    for (const child of tree.children) draw(child, level + 1);
  };
  for (const tree of buildTrees(status.nodes)) draw(tree, 0);
  return `${lines.join("\n")}\n`;
}

function drawNode(lines: string[], tree: TreeNode, branch: string, below: string, look: StatusLook): void {
  lines.push(`${branch}${nodeTitle(tree.status)}`);
  const bars = tree.children.length > 0 ? `${below}  |` : below;
  for (const info of infoLines(tree.status, look)) lines.push(`${bars.padEnd(infoColumn)}${info}`);
  for (const [index, child] of tree.children.entries()) {
    const isLast = index === tree.children.length - 1;
    drawNode(lines, child, `${below}  +--: `, `${below}  ${isLast ? " " : "|"}`, look);
  }
}

export function nodeTitle({ nodeName, type, service }: NodeStatus): string {
  return `${nodeName} (${type}${service === null ? "" : `, ${service}`})`;
}

/** What is known about a node, one line each. */
export function infoLines(status: NodeStatus, look: StatusLook): string[] {
  const lag = [
    `Lag: ${shownLag(status.lagSeconds, look.isColored)}`,
    ...(status.tickId === null ? [] : [`Tick: ${status.tickId}`]),
    ...(status.isPaused ? ["PAUSED"] : []),
    ...(status.isUptodate === false ? ["NOT UPTODATE"] : []),
  ];
  return [
    ...status.lines,
    lag.join(", "),
    ...(look.hasLegs ? legLine(status) : []),
    ...[...status.attributes].map(([key, value]) => `Attr: ${key}=${value ?? ""}`),
    ...status.errors.map(({ consumerName, message }) => `ERR: ${consumerName}: ${message.split("\n")[0]}`),
    ...(status.stuckReason === null ? [] : [`Why: ${status.stuckReason}`]),
  ];
}

function legLine({ legs }: NodeStatus): string[] {
  if (legs === null) return [];
  const parts: [string, number][] = [
    ["tick", legs.captureToTickSeconds],
    ["fetch", legs.tickToFetchSeconds],
    ["apply", legs.fetchToApplySeconds],
  ];
  return [`Legs: ${parts.map(([name, seconds]) => `${name} ${compactDuration(seconds)}`).join(", ")}`];
}

function shownLag(seconds: number | null, isColored: boolean): string {
  if (seconds === null) return "(n/a)";
  const text = compactDuration(seconds);
  return isColored && seconds > alarmingLagSeconds ? `\u001b[31m${text}\u001b[0m` : text;
}

/** Days, hours, minutes and seconds, zero parts left out, seconds always shown: `2d3h5s`. */
export function compactDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), "d"],
    [Math.floor(whole / 3600) % 24, "h"],
    [Math.floor(whole / 60) % 60, "m"],
  ];
  const shown = parts.filter(([value]) => value > 0).map(([value, unit]) => `${value}${unit}`);
  return `${shown.join("")}${whole % 60}s`;
}

function buildTrees(nodes: readonly NodeStatus[]): TreeNode[] {
  const names = new Set(nodes.map((node) => node.nodeName));
  const placed = new Set<string>();
  const build = (status: NodeStatus): TreeNode => {
    placed.add(status.nodeName);
    const children = nodes
      .filter((node) => node.providerNode === status.nodeName && !placed.has(node.nodeName))
      .map(build)
      .toSorted(bySizeThenName);
    const depth = 1 + Math.max(0, ...children.map((child) => child.depth));
    return { status, children, depth, size: children.reduce((sum, child) => sum + child.size, 1) };
  };
  const tops = nodes.filter((node) => node.providerNode === null || !names.has(node.providerNode));
  const trees = tops.map(build).toSorted(rootFirst);
  for (const node of nodes) if (!placed.has(node.nodeName)) trees.push(build(node));
  return trees;
}

function bySizeThenName(a: TreeNode, b: TreeNode): number {
  return (
    a.depth - b.depth ||
    a.size - b.size ||
    compareText(a.status.service ?? "", b.status.service ?? "") ||
    compareText(a.status.nodeName, b.status.nodeName)
  );
}

function rootFirst(a: TreeNode, b: TreeNode): number {
  const rank = (tree: TreeNode) => (tree.status.type === "root" ? 0 : 1);
  return rank(a) - rank(b) || bySizeThenName(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
