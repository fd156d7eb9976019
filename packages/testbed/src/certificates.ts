import { chmodSync, chownSync, copyFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Cluster } from "./cluster.ts";

/** Certificates that are worth nothing; its README says which. */
export const certificateDirectory = join(import.meta.dirname, "../certificates");

/** Gives a server a certificate for `localhost`, and the authority of clients' certificates: it speaks TLS from its next start. */
export function addCertificates(cluster: Cluster): void {
  const { uid, gid } = statSync(cluster.dataDirectory);
  for (const name of ["server.crt", "server.key", "ca.crt"]) {
    const file = join(cluster.dataDirectory, name);
    copyFileSync(join(certificateDirectory, name), file);
    chownSync(file, uid, gid);
    chmodSync(file, 0o600);
  }
  cluster.configure({
    ssl: "on",
    ssl_cert_file: "server.crt",
    ssl_key_file: "server.key",
    ssl_ca_file: "ca.crt",
  });
}
