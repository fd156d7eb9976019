import type { FrameChannel } from "../remote/frame-channel.ts";
import { answered, type Operation } from "../remote/serve.ts";
import { WalError } from "../wal/wal-error.ts";
import { manifestBytes, setEvents } from "./read-set.ts";
import { readMessage } from "./remote-set-store.ts";
import { type BackupSet, listSets } from "./set-info.ts";

const pieceBytes = 1 << 20;

/** The far side of a restore on another host: its sets are read here.
 * @param fullBackup path of the newest set */
export function setOperations(fullBackup: string): Map<string, Operation> {
  const find = async (id: unknown): Promise<BackupSet> => {
    const set = (await listSets(fullBackup)).find((each) => each.info.id === id);
    if (set === undefined) throw new WalError(`there is no backup set ${String(id)}`);
    return set;
  };
  return new Map<string, Operation>([
    ["list-sets", () => listSets(fullBackup)],
    [
      "set-manifest",
      async ({ id }, channel) => {
        const bytes = await manifestBytes(await find(id));
        await channel.sendMessage({ result: null });
        for (let at = 0; at < bytes.length; at += pieceBytes)
          await channel.sendData(bytes.subarray(at, at + pieceBytes));
        await channel.sendEnd();
        return answered;
      },
    ],
    [
      "read-set",
      async ({ id }, channel) => {
        const set = await find(id);
        await channel.sendMessage({ result: null });
        await sendSet(set, channel);
        await channel.sendEnd();
        return answered;
      },
    ],
  ]);
}

async function sendSet(set: BackupSet, channel: FrameChannel): Promise<void> {
  for await (const event of setEvents(set)) {
    switch (event.kind) {
      case "part":
        await channel.sendData(message(readMessage.part, Buffer.from(event.oid ?? "")));
        break;
      case "entry":
        await channel.sendData(message(readMessage.entry, Buffer.from(JSON.stringify(event.entry))));
        break;
      case "data":
        await channel.sendData(message(readMessage.data, event.data));
        break;
      case "end":
        await channel.sendData(message(readMessage.end, Buffer.alloc(0)));
    }
  }
}

function message(kind: number, content: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(content.length + 1);
  bytes[0] = kind;
  content.copy(bytes, 1);
  return bytes;
}
