/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over files instead of libFuzzer's inventions: every file that is named, and
 * every file in a folder that is named. So a corpus is replayed with the ordinary tests.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replayed;

static int replay_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
    size_t got = bytes ? fread(bytes, 1, (size_t)size, file) : 0;
    fclose(file);
    if (bytes)
        LLVMFuzzerTestOneInput(bytes, got);
    free(bytes);
    replayed++;
    return !bytes || got != (size_t)size;
}

static int replay_folder(const char *path) {
    DIR *folder = opendir(path);
    int failed = 0;
    char name[4096];
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        failed |= replay_file(name);
    }
    if (!folder || closedir(folder) != 0)
        failed = 1;
    return failed;
}

int main(int argc, char **argv) {
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        struct stat facts;
        failed |= stat(argv[i], &facts) == 0 && S_ISDIR(facts.st_mode) ? replay_folder(argv[i])
                                                                       : replay_file(argv[i]);
    }
    printf("replayed %d inputs\n", replayed);
    return failed || replayed == 0;
}
