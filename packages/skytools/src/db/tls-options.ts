import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ConnectionOptions, SecureVersion } from "node:tls";
import { checkServerIdentity } from "node:tls";
import { UsageError } from "../errors.ts";
import type { ConnectTarget, SslParameters } from "./connect-parameters.ts";

/** The TLS options for one target as the sslmode demands; files that are not given are looked for in ~/.postgresql.
 * @throws UsageError for missing or unreadable certificate and key files
 * Source: PostgreSQL manual, libpq "SSL Support". */
export function tlsOptions(ssl: SslParameters, target: ConnectTarget): ConnectionOptions {
  const options: ConnectionOptions = { rejectUnauthorized: false };
  if (ssl.minVersion !== undefined)
    options.minVersion = secureVersion("ssl_min_protocol_version", ssl.minVersion);
  if (ssl.maxVersion !== undefined)
    options.maxVersion = secureVersion("ssl_max_protocol_version", ssl.maxVersion);
  applyTrust(options, ssl, target);
  applyClientCertificate(options, ssl);
  return options;
}

function applyTrust(options: ConnectionOptions, ssl: SslParameters, target: ConnectTarget): void {
  const isVerifying = ssl.mode === "verify-ca" || ssl.mode === "verify-full";
  if (ssl.rootCertFile === "system") {
    options.rejectUnauthorized = true;
  } else {
    const root = optionalFile(ssl.rootCertFile ?? join(ssl.directory, "root.crt"));
    if (root === undefined && isVerifying) {
      throw new UsageError(
        `root certificate file "${ssl.rootCertFile ?? join(ssl.directory, "root.crt")}" does not exist`,
        {
          hint: "Provide the file, use sslrootcert=system, or change sslmode.",
        },
      );
    }
    if (root !== undefined && ssl.mode !== "prefer" && ssl.mode !== "allow") {
      options.ca = root;
      options.rejectUnauthorized = true;
    }
  }
  const crl = optionalFile(ssl.crlFile ?? join(ssl.directory, "root.crl"));
  if (crl !== undefined && options.rejectUnauthorized === true) options.crl = crl;
  options.checkServerIdentity = (_host, certificate) =>
    ssl.mode === "verify-full" ? checkServerIdentity(target.name, certificate) : undefined;
}

function applyClientCertificate(options: ConnectionOptions, ssl: SslParameters): void {
  const cert = optionalFile(ssl.certFile ?? join(ssl.directory, "postgresql.crt"));
  if (cert === undefined) return;
  const keyFile = ssl.keyFile ?? join(ssl.directory, "postgresql.key");
  const key = optionalFile(keyFile);
  if (key === undefined) {
    throw new UsageError(`certificate present, but not private key file "${keyFile}"`);
  }
  if ((statSync(keyFile).mode & 0o037) !== 0) {
    throw new UsageError(`private key file "${keyFile}" has group or world access`, {
      hint: "Set its permissions to u=rw (0600) or less.",
    });
  }
  options.cert = cert;
  options.key = key;
  if (ssl.keyPassword !== undefined) options.passphrase = ssl.keyPassword;
}

function optionalFile(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error instanceof Error && "code" in error && (error.code === "ENOENT" || error.code === "ENOTDIR")) {
      return undefined;
    }
    throw new UsageError(`could not read file "${path}"`, { cause: error });
  }
}

function secureVersion(key: string, text: string): SecureVersion {
  const versions: readonly SecureVersion[] = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
  const found = versions.find((version) => version.toLowerCase() === text.toLowerCase());
  if (found === undefined) {
    throw new UsageError(`invalid ${key} value: "${text}"`, { hint: `Use one of: ${versions.join(", ")}.` });
  }
  return found;
}
