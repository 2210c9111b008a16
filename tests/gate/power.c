/* Emulates a disk that loses what was not synced: at each fsync or fdatasync of a file below
 * $POWER_FOLDER its bytes are copied to $POWER_DISK; when the folder itself is synced, what was
 * deleted in it is deleted there. $POWER_DISK is what is left after a power cut. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void copy(const char *path, const char *disk) {
    char to[8192], draft[8200], buffer[65536];
    ssize_t got;
    snprintf(to, sizeof to, "%s/%s", disk, strrchr(path, '/') + 1);
    snprintf(draft, sizeof draft, "%s.draft", to);
    int in = open(path, O_RDONLY), out = open(draft, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    int whole = in >= 0 && out >= 0;
    while (whole && (got = read(in, buffer, sizeof buffer)) > 0)
        if (write(out, buffer, got) != got) whole = 0;
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    if (whole) rename(draft, to); /* a kill in between leaves the former content */
}

static void forget(const char *folder, const char *disk) {
    char path[8192];
    DIR *there = opendir(disk);
    struct dirent *entry;
    while (there && (entry = readdir(there))) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (access(path, F_OK)) {
            snprintf(path, sizeof path, "%s/%s", disk, entry->d_name);
            unlink(path);
        }
    }
    if (there) closedir(there);
}

static void keep(int fd) {
    const char *folder = getenv("POWER_FOLDER"), *disk = getenv("POWER_DISK");
    char link[64], path[4096];
    struct stat found;
    if (!folder || !disk || fstat(fd, &found)) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return;
    path[size] = 0;
    if (strncmp(path, folder, strlen(folder))) return;
    if (S_ISDIR(found.st_mode)) forget(folder, disk);
    else copy(path, disk);
}

int fsync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
    int done = real(fd);
    keep(fd);
    return done;
}

int fdatasync(int fd) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    int done = real(fd);
    keep(fd);
    return done;
}
