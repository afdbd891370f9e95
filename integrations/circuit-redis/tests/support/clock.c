/* The system's clock for one process, ahead or behind by as many seconds as a file says. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    static int file = -2;
    char text[32] = {0};
    if (file == -2) {
        const char *path = getenv("CLOCK_OFFSET_FILE");
        file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    }
    if (file < 0 || pread(file, text, sizeof text - 1, 0) <= 0) {
        return 0;
    }
    return atol(text);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    long result = syscall(SYS_gettimeofday, now, zone);
    if (result == 0 && now) {
        now->tv_sec += offset();
    }
    return (int)result;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    long result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        now->tv_sec += offset();
    }
    return (int)result;
}
