/* Where the time of a CUDA program goes: preload it, and at the end it says so on standard error.
 *
 * KSHOT_TRACE=calls (default): seconds that the host spends in calls, by kind; the GPU works on meanwhile.
 * KSHOT_TRACE=kernels: waits after every call, so that the time of a kernel is its own; the whole run is slower for it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned long long Pointer;
typedef size_t Size;

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static struct Entry { const char *name; double seconds; long calls; double bytes; } entries[512];
static struct Name { void *function; char *name; } names[4096];
static int entry_count, name_count, waits;
static double started;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

__attribute__((constructor)) static void start(void) {
  const char *mode = getenv("KSHOT_TRACE");
  waits = mode && !strcmp(mode, "kernels");
  started = now();
}

static void add(const char *name, double seconds, double bytes) {
  pthread_mutex_lock(&gate);
  int i = 0;
  while (i < entry_count && strcmp(entries[i].name, name)) i++;
  if (i < 512) {
    if (i == entry_count) entries[entry_count++].name = strdup(name);
    entries[i].seconds += seconds;
    entries[i].calls++;
    entries[i].bytes += bytes;
  }
  pthread_mutex_unlock(&gate);
}

static int larger(const void *a, const void *b) {
  double x = ((const struct Entry *)a)->seconds, y = ((const struct Entry *)b)->seconds;
  return (x < y) - (x > y);
}

__attribute__((destructor)) static void tell(void) {
  if (!entry_count) return;
  double sum = 0;
  qsort(entries, entry_count, sizeof *entries, larger);
  fprintf(stderr, "[trace] %s\n[trace] %-44s %10s %10s %12s\n", waits ? "waiting for every call" : "time of calls on the host", "what",
          "seconds", "calls", "MiB");
  for (int i = 0; i < entry_count; i++) {
    sum += entries[i].seconds;
    if (i < 30)
      fprintf(stderr, "[trace] %-44s %10.4f %10ld %12.1f\n", entries[i].name, entries[i].seconds, entries[i].calls,
              entries[i].bytes / 1048576);
  }
  fprintf(stderr, "[trace] %-44s %10.4f\n[trace] %-44s %10.4f\n", "all calls", sum, "the whole program", now() - started);
}

#define REAL(name) \
  static int (*real)(); \
  if (!real) real = (int (*)())dlsym(RTLD_NEXT, #name)
#define TIMED(kind, bytes, call) \
  double begun = now(); \
  int code = call; \
  if (waits) settle(); \
  add(kind, now() - begun, bytes); \
  return code

static void settle(void) {
  static int (*wait)(void *);
  if (!wait) wait = (int (*)(void *))dlsym(RTLD_NEXT, "cuStreamSynchronize");
  wait(0);
}

int cuModuleGetFunction(void **function, void *module, const char *name) {
  REAL(cuModuleGetFunction);
  int code = real(function, module, name);
  pthread_mutex_lock(&gate);
  if (!code && name_count < 4096) names[name_count++] = (struct Name){*function, strdup(name)};
  pthread_mutex_unlock(&gate);
  return code;
}
int cuModuleLoadData(void **module, const void *ptx) {
  REAL(cuModuleLoadData);
  TIMED("loading kernels", 0, real(module, ptx));
}
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   void *stream, void **arguments, void **extra) {
  REAL(cuLaunchKernel);
  char what[128] = "launches";
  for (int i = name_count - 1; waits && i >= 0; i--)
    if (names[i].function == function) {
      snprintf(what, sizeof what, "kernel %s", names[i].name);
      break;
    }
  TIMED(what, 0, real(function, gx, gy, gz, bx, by, bz, shared, stream, arguments, extra));
}
int cuMemcpyHtoDAsync_v2(Pointer to, const void *from, Size bytes, void *stream) {
  REAL(cuMemcpyHtoDAsync_v2);
  TIMED(bytes > 4096 ? "copies to the GPU" : "copies to the GPU, up to 4 KiB", bytes, real(to, from, bytes, stream));
}
int cuMemcpyHtoD_v2(Pointer to, const void *from, Size bytes) {
  REAL(cuMemcpyHtoD_v2);
  TIMED(bytes > 4096 ? "copies to the GPU" : "copies to the GPU, up to 4 KiB", bytes, real(to, from, bytes));
}
int cuMemcpyDtoHAsync_v2(void *to, Pointer from, Size bytes, void *stream) {
  REAL(cuMemcpyDtoHAsync_v2);
  TIMED("copies from the GPU", bytes, real(to, from, bytes, stream));
}
int cuMemcpyDtoH_v2(void *to, Pointer from, Size bytes) {
  REAL(cuMemcpyDtoH_v2);
  TIMED("copies from the GPU", bytes, real(to, from, bytes));
}
int cuMemcpyDtoDAsync_v2(Pointer to, Pointer from, Size bytes, void *stream) {
  REAL(cuMemcpyDtoDAsync_v2);
  TIMED("copies on the GPU", bytes, real(to, from, bytes, stream));
}
int cuMemAllocAsync(Pointer *out, Size bytes, void *stream) {
  REAL(cuMemAllocAsync);
  TIMED("allocations", bytes, real(out, bytes, stream));
}
int cuMemFreeAsync(Pointer at, void *stream) {
  REAL(cuMemFreeAsync);
  TIMED("frees", 0, real(at, stream));
}
int cuStreamSynchronize(void *stream) {
  REAL(cuStreamSynchronize);
  TIMED("waits", 0, real(stream));
}
int cublasSgemm_v2(void *h, int ta, int tb, int m, int n, int k, const void *x, const void *a, int lda, const void *b, int ldb,
                   const void *y, void *c, int ldc) {
  REAL(cublasSgemm_v2);
  TIMED("products of matrices", 0, real(h, ta, tb, m, n, k, x, a, lda, b, ldb, y, c, ldc));
}
int cublasSgemmStridedBatched(void *h, int ta, int tb, int m, int n, int k, const void *x, const void *a, int lda, long long sa,
                              const void *b, int ldb, long long sb, const void *y, void *c, int ldc, long long sc, int count) {
  REAL(cublasSgemmStridedBatched);
  TIMED("products of batches", 0, real(h, ta, tb, m, n, k, x, a, lda, sa, b, ldb, sb, y, c, ldc, sc, count));
}
