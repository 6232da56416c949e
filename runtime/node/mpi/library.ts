/**
 * The system's MPI library, reached through koffi: which file it is, which of the two ABIs it has,
 * and its functions as netc calls them.
 */
import type { LibraryHandle } from "koffi";
import { RunFailedError } from "../../training/error.js";
import { keepLoaded, loadKoffi, type Koffi } from "./koffi.js";
import { inTime } from "./late.js";
import type { Launch } from "./launcher.js";

type KoffiFunction = ReturnType<LibraryHandle["func"]>;

/** What differs between the ABIs of Open MPI, and of MPICH, Intel MPI and MVAPICH. */
interface Abi {
  readonly handleType: "void *" | "int";
  readonly inPlace: number;
  /** Handles by name. */
  handle(library: LibraryHandle, name: keyof typeof MPICH_HANDLES): unknown;
}

const MPICH_HANDLES = {
  comm_world: 0x44000000,
  float: 0x4c00040a,
  byte: 0x4c00010d,
  op_sum: 0x58000003,
  errors_return: 0x54000001,
} as const;

const OPEN_MPI_SYMBOLS: Readonly<Record<keyof typeof MPICH_HANDLES, string>> = {
  comm_world: "ompi_mpi_comm_world",
  float: "ompi_mpi_float",
  byte: "ompi_mpi_byte",
  op_sum: "ompi_mpi_op_sum",
  errors_return: "ompi_mpi_errors_return",
};

const OPEN_MPI: Abi = {
  handleType: "void *",
  inPlace: 1,
  handle: (library, name) => library.symbol(OPEN_MPI_SYMBOLS[name]) as unknown,
};

const MPICH: Abi = {
  handleType: "int",
  inPlace: -1,
  handle: (_, name) => MPICH_HANDLES[name],
};

/**
 * File names without development packages: those of Open MPI, and of MPICH in Debian, upstream and
 * on macOS.
 */
const OPEN_MPI_FILES = ["libmpi.so.40", "libmpi.40.dylib"];
const MPICH_FILES = ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib"];
const ANY_FILES = ["libmpi.so", "libmpi.dylib", "libmpich.so"];

const INT = "int";
const THREAD_SERIALIZED = 2;
const THREAD_MULTIPLE = 3;
const VERSION_LENGTH = 8192;
const MESSAGE_LENGTH = 1024;
const SUCCESS = 0;

/** Holds MPI_Status in either ABI. */
const STATUS_BYTES = 64;
/** Holds MPI_Request in either ABI. */
const REQUEST_BYTES = 8;

/** A send or receive under way. Its memory must live until `test` says that it is done. */
export interface Request {
  readonly handle: Uint8Array;
  readonly bytes: Uint8Array;
}

/** MPI, begun, with the calls that netc needs. Errors of calls are RunFailedErrors. */
export class MpiLibrary {
  rank = 0;
  size = 1;
  private readonly functions = new Map<string, KoffiFunction>();
  private readonly world: unknown;
  private readonly byte: unknown;

  private constructor(
    private readonly library: LibraryHandle,
    private readonly abi: Abi,
    readonly version: string,
  ) {
    this.world = abi.handle(library, "comm_world");
    this.byte = abi.handle(library, "byte");
  }

  /**
   * Begins MPI, which waits for all processes of the launcher: on a separate thread, so that this
   * one can tell when another process does not come.
   */
  static async begin(library: LibraryHandle, abi: Abi, version: string): Promise<MpiLibrary> {
    const mpi = new MpiLibrary(library, abi, version);
    const provided = new Int32Array(1);
    await mpi.callAsync(
      "MPI_Init_thread",
      ["void *", "void *", INT, "void *"],
      [...[null, null, THREAD_MULTIPLE, provided]],
    );
    if (provided[0]! < THREAD_SERIALIZED) {
      throw new RunFailedError(
        `${version} does not allow calls from several threads`,
        "use an MPI library that was built with thread support",
      );
    }
    mpi.look();
    return mpi;
  }

  /** This process's place in the world. */
  private look(): void {
    const { handleType: handle } = this.abi;
    const errors = this.abi.handle(this.library, "errors_return");
    this.call("MPI_Comm_set_errhandler", [handle, handle], [this.world, errors]);
    this.rank = this.number("MPI_Comm_rank");
    this.size = this.number("MPI_Comm_size");
  }

  /** Begins to send bytes. */
  send(bytes: Uint8Array, rank: number, tag: number): Request {
    return this.begin("MPI_Isend", bytes, rank, tag);
  }

  /** Begins to receive a message of exactly that length. */
  receive(bytes: Uint8Array, rank: number, tag: number): Request {
    return this.begin("MPI_Irecv", bytes, rank, tag);
  }

  /** Whether a send or receive is done. Not to be asked again after it was. */
  test({ handle }: Request): boolean {
    const flag = new Int32Array(1);
    const status = new Uint8Array(STATUS_BYTES);
    this.call("MPI_Test", ["void *", "void *", "void *"], [handle, flag, status]);
    return flag[0] !== 0;
  }

  /** Bytes of a message that has come from a rank; undefined where none has. */
  probe(rank: number, tag: number): number | undefined {
    const flag = new Int32Array(1);
    const status = new Uint8Array(STATUS_BYTES);
    const { handleType: handle } = this.abi;
    this.call(
      "MPI_Iprobe",
      [INT, INT, handle, "void *", "void *"],
      [...[rank, tag, this.world, flag, status]],
    );
    if (flag[0] === 0) return undefined;
    const count = new Int32Array(1);
    this.call("MPI_Get_count", ["void *", handle, "void *"], [status, this.byte, count]);
    return count[0]!;
  }

  /** Adds up over all ranks, in place. Blocks a separate thread until all ranks have called. */
  async sum(values: Float32Array): Promise<void> {
    const { handleType: handle, inPlace } = this.abi;
    const float = this.abi.handle(this.library, "float");
    const sum = this.abi.handle(this.library, "op_sum");
    await this.callAsync(
      "MPI_Allreduce",
      ["intptr_t", "void *", INT, handle, handle, handle],
      [inPlace, values, values.length, float, sum, this.world],
    );
  }

  /** Sends a block of `length` bytes to each rank, and receives one from each. */
  allToAll(sent: Uint8Array, received: Uint8Array, length: number): Promise<void> {
    return this.exchange("MPI_Alltoall", [sent, length], [received, length]);
  }

  /** Sends the same block to all ranks, and receives theirs. */
  allGather(own: Uint8Array, all: Uint8Array): Promise<void> {
    return this.exchange("MPI_Allgather", [own, own.length], [all, own.length]);
  }

  private exchange(
    name: "MPI_Alltoall" | "MPI_Allgather",
    sent: readonly [bytes: Uint8Array, length: number],
    received: readonly [bytes: Uint8Array, length: number],
  ): Promise<void> {
    const { handleType: handle } = this.abi;
    const block = ["void *", INT, handle];
    return this.callAsync(
      name,
      [...block, ...block, handle],
      [...sent, this.byte, ...received, this.byte, this.world],
    );
  }

  /** Copies the bytes of a rank to all others. */
  async broadcast(bytes: Uint8Array, root: number): Promise<void> {
    const { handleType: handle } = this.abi;
    await this.callAsync(
      "MPI_Bcast",
      ["void *", INT, handle, INT, handle],
      [bytes, bytes.length, this.byte, root, this.world],
    );
  }

  /** Ends this process's part, when all ranks do. */
  async finalize(): Promise<void> {
    await this.callAsync("MPI_Finalize", [], []);
  }

  /** Ends the processes of all ranks at once, this one included. */
  abort(exitCode: number): void {
    this.call("MPI_Abort", [this.abi.handleType, INT], [this.world, exitCode]);
  }

  private begin(
    name: "MPI_Isend" | "MPI_Irecv",
    bytes: Uint8Array,
    rank: number,
    tag: number,
  ): Request {
    const handle = new Uint8Array(REQUEST_BYTES);
    const { handleType } = this.abi;
    this.call(
      name,
      ["void *", INT, handleType, INT, INT, handleType, "void *"],
      [...[bytes, bytes.length, this.byte, rank, tag, this.world, handle]],
    );
    return { handle, bytes };
  }

  private number(name: string): number {
    const value = new Int32Array(1);
    this.call(name, [this.abi.handleType, "void *"], [this.world, value]);
    return value[0]!;
  }

  private function(name: string, types: readonly string[]): KoffiFunction {
    const known = this.functions.get(name) ?? this.library.func(name, INT, [...types]);
    this.functions.set(name, known);
    return known;
  }

  private call(name: string, types: readonly string[], values: readonly unknown[]): void {
    this.check(name, this.function(name, types)(...values) as number);
  }

  private async callAsync(
    name: string,
    types: readonly string[],
    values: readonly unknown[],
  ): Promise<void> {
    const code = await new Promise<number>((resolve, reject) => {
      const settle = (error: Error | null, result: number) =>
        error ? reject(error) : resolve(result);
      this.function(name, types).async(...values, settle);
    });
    this.check(name, code);
  }

  private check(name: string, code: number): void {
    if (code === SUCCESS) return;
    const text = Buffer.alloc(MESSAGE_LENGTH);
    const length = new Int32Array(1);
    this.library.func("MPI_Error_string", INT, [INT, "void *", "void *"])(code, text, length);
    throw new RunFailedError(
      `${name} failed: ${text.toString("utf8", 0, length[0])}`,
      "the connection to another rank may be lost; --resume continues from the last checkpoint",
    );
  }
}

/**
 * Loads and begins the MPI library that suits the launcher, or the one that NETC_MPI_LIBRARY names.
 * Throws a RunFailedError where there is none, and where the library knows of other processes than
 * the launcher started: it is then not the launcher's. Throws a LateRanksError where another
 * process does not begin in time.
 */
export async function beginMpi(launch: Launch, timeout: number): Promise<MpiLibrary> {
  const koffi = await loadKoffi();
  // The default of 128 KiB is too little for MPICH.
  koffi.config({ async_stack_size: 4 * 2 ** 20 });
  const { library, file } = openLibrary(koffi, launch);
  const version = versionOf(library);
  const abi = abiOf(version);
  if (!abi) {
    throw new RunFailedError(
      `${file} is ${version}, whose ABI netc does not know: it knows those of Open MPI and MPICH`,
      "name another library with NETC_MPI_LIBRARY",
    );
  }
  const begun = MpiLibrary.begin(library, abi, version);
  const mpi = await inTime(begun, { timeout, done: "joined" });
  if (mpi.size === launch.size && mpi.rank === launch.rank) return mpi;
  throw otherWorld(launch, mpi, file);
}

function openLibrary(koffi: Koffi, launch: Launch): { library: LibraryHandle; file: string } {
  // MPICH's UCX would change the memory functions of the running process, in which V8 has threads:
  // about 1 start of 20 then ended in a segmentation fault.
  process.env["UCX_MEM_EVENTS"] ??= "n";
  const files = libraryFiles(launch);
  const failures: string[] = [];
  for (const file of files) {
    try {
      // Open MPI's own plug-ins look for its symbols among those of all libraries.
      const library = koffi.load(file, { global: true });
      keepLoaded(koffi, file);
      return { library, file };
    } catch (error) {
      failures.push(`${file}: ${(error as Error).message.split("\n")[0]!}`);
    }
  }
  throw new RunFailedError(
    `${launch.launcher} started ${launch.size} processes, but there is no MPI library: ` +
      failures[0]!,
    "install the library of that launcher (libopenmpi3, libmpich12), " +
      "or name its file with NETC_MPI_LIBRARY",
  );
}

/** Slurm speaks PMIx to Open MPI and PMI to MPICH. */
function libraryFiles({ launcher }: Launch): readonly string[] {
  const named = process.env["NETC_MPI_LIBRARY"];
  if (named) return [named];
  const isOpen =
    launcher === "Open MPI" || (launcher === "Slurm" && process.env["PMIX_RANK"] !== undefined);
  const [first, second] = isOpen ? [OPEN_MPI_FILES, MPICH_FILES] : [MPICH_FILES, OPEN_MPI_FILES];
  return [...first, ...ANY_FILES, ...second];
}

/** Can be asked before MPI begins. The first line, up to a comma. */
function versionOf(library: LibraryHandle): string {
  const text = Buffer.alloc(VERSION_LENGTH);
  const length = new Int32Array(1);
  library.func("MPI_Get_library_version", INT, ["void *", "void *"])(text, length);
  const [line = ""] = text.toString("utf8", 0, length[0]).split(/[\n\0,]/);
  return line.replace(/\s+/g, " ").trim();
}

function abiOf(version: string): Abi | undefined {
  if (version.startsWith("Open MPI")) return OPEN_MPI;
  return /^(MPICH|Intel|MVAPICH|CRAY)/i.test(version) ? MPICH : undefined;
}

function otherWorld(launch: Launch, mpi: MpiLibrary, file: string): RunFailedError {
  const { launcher, rank, size } = launch;
  return new RunFailedError(
    `${launcher} started ${size} processes, and this is rank ${rank}, but ${file} ` +
      `(${mpi.version}) knows ${mpi.size}, and this as rank ${mpi.rank}`,
    launcher === "Slurm"
      ? "start with the PMI of the library: srun --mpi=pmix (Open MPI), srun --mpi=pmi2 (MPICH)"
      : "use the launcher of that library, or name the launcher's library with NETC_MPI_LIBRARY",
  );
}
