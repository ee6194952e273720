/* A CUDA driver that computes nothing, to run a CUDA program on a machine without a GPU.
 *
 * The host's memory stands for the GPU's, and a kernel does nothing. Checked are: that PTX assembles ($KSHOT_PTXAS),
 * that a kernel of the name that is asked for is in it, that no launch is empty, and that copies stay inside allocations.
 * At the end it says on standard error how much it was asked for.
 *
 * KSHOT_SIM_FAILS=no-gpu | old-driver | old-ptx | memory | memory-later makes it fail as a driver does; the last has memory
 * for a hundred allocations.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long long Pointer;
typedef size_t Size;

enum { OK = 0, INVALID = 1, NO_MEMORY = 2, NO_DEVICE = 100, BAD_PTX = 218, OLD_PTX = 222, NOT_FOUND = 500, ASSERTION = 710, MISMATCH = 803 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static long allocations, launches, modules, empty, copied_out, copied_in;
static int initialised, failed;

static int fails(const char *how) {
  const char *said = getenv("KSHOT_SIM_FAILS");
  return said && !strcmp(said, how);
}

static int complain(const char *what, const char *name, int code) {
  fprintf(stderr, "[stand-in] %s %s\n", what, name);
  failed = 1;
  return code;
}

__attribute__((destructor)) static void tell(void) {
  if (initialised)
    fprintf(stderr, "[stand-in] %ld modules, %ld launches, %ld numbers in, %ld numbers out, %ld empty allocations%s\n", modules,
            launches, copied_in / 4, copied_out / 4, empty, failed ? ", FAILED" : "");
}

/* Modules that assembled, so that each is assembled once however many devices load it. */
static struct Module { struct Module *next; char *ptx; } *known;

int cuInit(unsigned flags) {
  if (fails("no-gpu")) return NO_DEVICE;
  if (fails("old-driver")) return MISMATCH;
  initialised = 1;
  return OK;
}
/* The run-time compiler asks for tables of its own, and does without. */
int cuGetExportTable(const void **table, const void *id) { *table = 0; return NOT_FOUND; }
int cuDeviceGetCount(int *count) { *count = 1; return OK; }
int cuDeviceGet(int *device, int ordinal) { *device = 0; return ordinal ? 101 : OK; }
int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = 1; return OK; }
int cuDevicePrimaryCtxRetain(void **context, int device) { *context = (void *)1; return OK; }
int cuDevicePrimaryCtxRelease_v2(int device) { return OK; }
int cuCtxSetCurrent(void *context) { return OK; }
int cuMemGetInfo_v2(Size *free, Size *total) { *free = *total = (Size)1 << 30; return OK; }
int cuEventCreate(void **event, unsigned flags) { *event = (void *)1; return OK; }
int cuEventRecord(void *event, void *stream) { return OK; }
int cuEventDestroy_v2(void *event) { return OK; }
int cuStreamCreate(void **stream, unsigned flags) { *stream = (void *)2; return OK; }
int cuStreamDestroy_v2(void *stream) { return OK; }
int cuStreamSynchronize(void *stream) { return OK; }
int cuStreamWaitEvent(void *stream, void *event, unsigned flags) { return OK; }

/* The size stands before the memory. */
int cuMemAllocAsync(Pointer *out, Size bytes, void *stream) {
  if (fails("memory") && bytes > 128) return NO_MEMORY;
  if (bytes && fails("memory-later") && __sync_add_and_fetch(&allocations, 1) > 100) return NO_MEMORY;
  Size *block = calloc(1, bytes + 16);
  if (!block) return NO_MEMORY;
  *block = bytes;
  empty += !bytes;
  *out = (Pointer)(block + 2);
  return OK;
}
int cuMemAlloc_v2(Pointer *out, Size bytes) { return cuMemAllocAsync(out, bytes, 0); }
int cuMemFreeAsync(Pointer at, void *stream) { if (at) free((Size *)at - 2); return OK; }
int cuMemFree_v2(Pointer at) { return cuMemFreeAsync(at, 0); }
static int outside(Pointer at, Size bytes) {
  return bytes > ((Size *)at)[-2] ? complain("access outside of an allocation", "", INVALID) : 0;
}
int cuMemsetD8Async(Pointer at, unsigned char value, Size bytes, void *stream) {
  if (outside(at, bytes)) return INVALID;
  memset((void *)at, value, bytes);
  return OK;
}
int cuMemsetD8_v2(Pointer at, unsigned char value, Size bytes) { return cuMemsetD8Async(at, value, bytes, 0); }
int cuMemcpyHtoDAsync_v2(Pointer to, const void *from, Size bytes, void *stream) {
  if (outside(to, bytes)) return INVALID;
  copied_in += bytes;
  memcpy((void *)to, from, bytes);
  return OK;
}
int cuMemcpyHtoD_v2(Pointer to, const void *from, Size bytes) { return cuMemcpyHtoDAsync_v2(to, from, bytes, 0); }
int cuMemcpyDtoHAsync_v2(void *to, Pointer from, Size bytes, void *stream) {
  if (outside(from, bytes)) return INVALID;
  copied_out += bytes;
  memcpy(to, (void *)from, bytes);
  return OK;
}
int cuMemcpyDtoH_v2(void *to, Pointer from, Size bytes) { return cuMemcpyDtoHAsync_v2(to, from, bytes, 0); }
int cuMemcpyDtoDAsync_v2(Pointer to, Pointer from, Size bytes, void *stream) {
  if (outside(from, bytes) || outside(to, bytes)) return INVALID;
  memcpy((void *)to, (void *)from, bytes);
  return OK;
}
int cuMemcpyDtoD_v2(Pointer to, Pointer from, Size bytes) { return cuMemcpyDtoDAsync_v2(to, from, bytes, 0); }

static int assembles(const char *ptx) {
  const char *assembler = getenv("KSHOT_PTXAS");
  char file[] = "/tmp/kshot-XXXXXX.ptx", command[1024];
  int descriptor = mkstemps(file, 4);
  FILE *out = descriptor < 0 ? 0 : fdopen(descriptor, "w");
  if (!assembler || !out) return 0;
  fputs(ptx, out);
  fclose(out);
  snprintf(command, sizeof command, "'%s' -arch=%s -O0 -o /dev/null %s", assembler, getenv("KSHOT_PTXAS_ARCH") ?: "sm_90", file);
  int code = system(command);
  unlink(file);
  return !code;
}
int cuModuleLoadData(void **module, const char *ptx) {
  if (fails("old-ptx")) return OLD_PTX;
  pthread_mutex_lock(&gate);
  struct Module *found = known;
  while (found && strcmp(found->ptx, ptx)) found = found->next;
  int code = OK;
  if (!found && assembles(ptx)) {
    found = malloc(sizeof *found);
    *found = (struct Module){known, strdup(ptx)};
    known = found;
    modules++;
  } else if (!found) {
    code = complain("PTX does not assemble:", strncmp(ptx, "//", 2) ? "not even PTX" : "see above", BAD_PTX);
  }
  pthread_mutex_unlock(&gate);
  *module = found;
  return code;
}
int cuModuleLoad(void **module, const char *file) { return complain("a module from a file:", file, INVALID); }
int cuModuleUnload(void *module) { return OK; }
int cuModuleGetFunction(void **function, struct Module *module, const char *name) {
  char entry[256];
  snprintf(entry, sizeof entry, ".entry %s(", name);
  *function = malloc(1); /* an address of its own */
  return strstr(module->ptx, entry) ? OK : complain("no kernel of the name", name, NOT_FOUND);
}
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   void *stream, void **arguments, void **extra) {
  launches++;
  if (gx && gy && gz && bx && by && bz && (Size)bx * by * bz <= 1024) return OK;
  return complain("an empty or too large launch", "", INVALID);
}
int cuGetErrorName(int error, const char **name) { *name = "CUDA_ERROR"; return OK; }
int cuGetErrorString(int error, const char **text) {
  *text = error == NO_MEMORY ? "out of memory" : "an error of the stand-in driver";
  return OK;
}
