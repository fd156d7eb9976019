import {
  type DemoNode,
  databaseName,
  ticker,
  tickerIniFile,
  writeNodeConfig,
  writeTickerConfig,
} from "../nodes.ts";
import { commandDirectory } from "../shell.ts";
import type { Stage } from "../stage.ts";

/** Makes the two nodes and starts the three daemons. */
export async function createNodes({ narrator, directory, shell, daemons, root, leaf }: Stage): Promise<void> {
  narrator.title("A root and a leaf node; the SQL modules are installed with them");
  narrator.command(`cd ${directory}`);
  narrator.command(`PATH=${commandDirectory()}:$PATH`);
  for (const node of [root, leaf]) {
    narrator.command(`cat ${node.iniFile}`);
    narrator.output(await writeNodeConfig(directory, node));
  }
  await shell.run("londiste3", root.iniFile, "create-root", root.name, location(root));
  await shell.run(
    "londiste3",
    leaf.iniFile,
    "create-leaf",
    leaf.name,
    location(leaf),
    `--provider=${location(root)}`,
  );

  narrator.title("The ticker on the provider's server, a worker for each node");
  narrator.command(`cat ${tickerIniFile}`);
  narrator.output(await writeTickerConfig(directory, root.cluster));
  for (const daemon of [ticker, root.worker, leaf.worker]) await daemons.start(daemon);
}

function location(node: DemoNode): string {
  return node.cluster.connstr(databaseName);
}
