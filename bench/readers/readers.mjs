// Readers in JavaScript: see readers.py.
//
//     node readers.mjs NAME FILE
//
// Packages are looked for in FLOWFAST_READERS_JS/node_modules.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [name, path] = process.argv.slice(2);
const folder = process.env.FLOWFAST_READERS_JS ?? ".";
const require = createRequire(join(folder, "package.json"));
const number = (v) => (typeof v === "bigint" ? Number(v) : v);
const sum = (values) => values.reduce((a, b) => a + number(b), 0);
// JSON has no 64-bit integers: nanoseconds are written by hand.
const say = (found) => {
  const { time, ...rest } = found;
  console.log(JSON.stringify({ time: 0, ...rest }).replace('"time":0', `"time":${time}`));
};

// nanoseconds of a Date, of milliseconds with a fraction, or of a bigint.
const nanoseconds = (v, unit = 1n) =>
  v instanceof Date ? BigInt(v.getTime()) * 1000000n : typeof v === "bigint" ? v * unit : BigInt(Math.round(v * 1e3)) * 1000n;

function version(of) {
  try {
    return JSON.parse(readFileSync(join(folder, "node_modules", of, "package.json"))).version;
  } catch {
    return undefined;
  }
}

const load = (of) => import(pathToFileURL(require.resolve(of)).href);

// table is what an Arrow table of apache-arrow has.
function table(t) {
  const { type } = t.schema.fields.find((f) => f.name === "start_time");
  const column = t.getChild("start_time");
  const chunk = column.data[0]; // get() gives milliseconds; the values are whole
  return {
    rows: t.numRows,
    time: nanoseconds(chunk.values[0], [1000000000n, 1000000n, 1000n, 1n][type.unit]),
    zone: type.timezone != null,
    port: t.getChild("src_port").get(0),
    bytes: sum([...t.getChild("fwd_tot_byte")]),
    list: [...t.getChild("splt_size").get(0)].map(number),
    definitions: t.schema.metadata.has("flowfast.definitions") || t.schema.fields[0].metadata.size > 0,
  };
}

const readers = {
  async hyparquet() {
    const { parquetMetadata, parquetReadObjects } = await load("hyparquet");
    const { compressors } = await load("hyparquet-compressors");
    const bytes = readFileSync(path);
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    const rows = await parquetReadObjects({ file, compressors });
    const { key_value_metadata: keys = [] } = parquetMetadata(file);
    return {
      rows: rows.length, time: nanoseconds(rows[0].start_time), zone: rows[0].start_time instanceof Date, port: rows[0].src_port,
      bytes: sum(rows.map((r) => r.fwd_tot_byte)), list: Array.from(rows[0].splt_size, number),
      definitions: keys.some((k) => k.key === "flowfast.definitions"),
    };
  },
  async "apache-arrow"() {
    const { tableFromIPC } = await load("apache-arrow");
    return table(tableFromIPC(readFileSync(path)));
  },
  async "parquet-wasm"() {
    const { readParquet } = require("parquet-wasm");
    const { tableFromIPC } = await load("apache-arrow");
    return table(tableFromIPC(readParquet(new Uint8Array(readFileSync(path))).intoIPCStream()));
  },
};

const found = version(name);
if (found === undefined) {
  console.log(JSON.stringify({ missing: true }));
} else {
  try {
    say({ version: found, ...(await readers[name]()) });
  } catch (error) {
    console.log(JSON.stringify({ version: found, error: String(error).slice(0, 160) }));
  }
}
