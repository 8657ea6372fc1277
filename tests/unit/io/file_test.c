/* SPDX-License-Identifier: Apache-2.0 */
#include "io/file.h"

#include "base/clock.h"
#include "unit/scratch.h"
#include "unit/test.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static sw_error error;

static sw_str read_back(sw_buf *out, const char *path) {
    sw_buf_clear(out);
    CHECK_OK(sw_file_read_whole(out, path, 1 << 20, &error), error);
    return sw_buf_str(out);
}

TEST(file__is_written_and_read_whole) {
    char dir[SCRATCH_BYTES];
    sw_buf text = {0};
    struct stat facts;
    scratch_make(dir);
    const char *path = scratch_path(dir, "x");
    CHECK_OK(sw_file_write_whole(path, SW_STR("one"), &error), error);
    CHECK_STR(read_back(&text, path), "one");
    CHECK_OK(sw_file_write_whole(path, SW_STR("another"), &error), error);
    CHECK_STR(read_back(&text, path), "another");
    CHECK_OK(sw_file_write_whole(path, SW_STR(""), &error), error);
    CHECK_STR(read_back(&text, path), "");
    CHECK(stat(path, &facts) == 0 && (facts.st_mode & 0777) == 0600);
    CHECK(access(scratch_path(dir, "x.new"), F_OK) != 0);
    sw_buf_free(&text);
    scratch_remove(dir);
}

TEST(read_whole__stops_at_its_bound) {
    char dir[SCRATCH_BYTES];
    sw_buf text = {0};
    scratch_make(dir);
    const char *path = scratch_path(dir, "x");
    CHECK_OK(sw_file_write_whole(path, SW_STR("four"), &error), error);
    CHECK_OK(sw_file_read_whole(&text, path, 4, &error), error);
    CHECK_INT(sw_file_read_whole(&text, path, 3, &error).code, SW_CODE_TOO_LARGE);
    CHECK_HAS(error.text, "/x is larger than 3 bytes");
    sw_buf_free(&text);
    scratch_remove(dir);
}

TEST(error__names_the_path_and_the_reason) {
    char dir[SCRATCH_BYTES];
    int fd;
    scratch_make(dir);
    const char *path = scratch_path(dir, "none");
    CHECK_INT(sw_file_open_read(&fd, path, &error).code, SW_CODE_NOT_FOUND);
    CHECK_INT(fd, -1);
    CHECK_HAS(error.text, "cannot open");
    CHECK_HAS(error.text, path);
    CHECK_HAS(error.text, "No such file or directory");
    CHECK_OK(sw_file_create(&fd, path, &error), error);
    sw_file_close(&fd);
    CHECK_INT(fd, -1);
    sw_file_close(&fd);
    CHECK_INT(sw_file_create(&fd, path, &error).code, SW_CODE_CONFLICT);
    CHECK_INT(sw_file_remove(scratch_path(dir, "other"), &error).code, SW_CODE_NOT_FOUND);
    scratch_remove(dir);
}

TEST(append__writes_behind_what_is_there) {
    char dir[SCRATCH_BYTES];
    sw_buf text = {0};
    scratch_make(dir);
    const char *path = scratch_path(dir, "log");
    for (int i = 0; i < 2; i++) {
        int fd;
        REQUIRE_OK(sw_file_open_append(&fd, path, &error), error);
        CHECK_OK(sw_file_write(fd, SW_STR("line\n"), path, &error), error);
        sw_file_close(&fd);
    }
    CHECK_STR(read_back(&text, path), "line\nline\n");
    sw_buf_free(&text);
    scratch_remove(dir);
}

TEST(folders__are_made_with_those_above_and_for_the_owner_alone) {
    char dir[SCRATCH_BYTES];
    bool made = false;
    struct stat facts;
    scratch_make(dir);
    CHECK_OK(sw_file_make_folders(&made, scratch_path(dir, "a/b//c/"), &error), error);
    CHECK(made);
    CHECK(stat(scratch_path(dir, "a/b"), &facts) == 0 && (facts.st_mode & 0777) == 0700);
    CHECK_OK(sw_file_make_folders(&made, scratch_path(dir, "a/b/c"), &error), error);
    CHECK(!made);
    CHECK_OK(sw_file_write_whole(scratch_path(dir, "file"), SW_STR(""), &error), error);
    CHECK_INT(sw_file_make_folders(&made, scratch_path(dir, "file"), &error).code,
              SW_CODE_CONFLICT);
    CHECK_HAS(error.text, "/file is no folder");
    CHECK(sw_failed(sw_file_make_folders(&made, scratch_path(dir, "file/x"), &error)));
    char here[SW_PATH_BYTES];
    CHECK(getcwd(here, sizeof here) && chdir(dir) == 0);
    CHECK_OK(sw_file_make_folders(&made, "relative/x", &error), error);
    CHECK(made && access(scratch_path(dir, "relative/x"), F_OK) == 0);
    CHECK(chdir(here) == 0);
    scratch_remove(dir);
}

static sw_status collect(const char *name, void *context, sw_error *why) {
    (void)why;
    sw_buf *names = context;
    sw_buf_add_str(names, sw_str_of(name));
    return strcmp(name, "stop") == 0 ? sw_fail(why, SW_CODE_REFUSED, "enough") : SW_OK;
}

TEST(each__visits_every_name_until_told_to_stop) {
    char dir[SCRATCH_BYTES];
    sw_buf names = {0};
    scratch_make(dir);
    CHECK_OK(sw_file_each(scratch_path(dir, "missing"), collect, &names, &error), error);
    CHECK_OK(sw_file_each(dir, collect, &names, &error), error);
    CHECK_INT(names.len, 0);
    CHECK_OK(sw_file_write_whole(scratch_path(dir, "abc"), SW_STR(""), &error), error);
    CHECK_OK(sw_file_each(dir, collect, &names, &error), error);
    CHECK_STR(sw_buf_str(&names), "abc");
    CHECK_OK(sw_file_write_whole(scratch_path(dir, "stop"), SW_STR(""), &error), error);
    CHECK_INT(sw_file_each(dir, collect, &names, &error).code, SW_CODE_REFUSED);
    sw_buf_free(&names);
    scratch_remove(dir);
}

TEST(stat__knows_size_age_and_kind) {
    char dir[SCRATCH_BYTES];
    sw_file_facts facts;
    scratch_make(dir);
    CHECK_OK(sw_file_write_whole(scratch_path(dir, "x"), SW_STR("12345"), &error), error);
    CHECK_OK(sw_file_stat(&facts, scratch_path(dir, "x"), &error), error);
    CHECK_INT(facts.size_bytes, 5);
    CHECK(!facts.is_folder && facts.is_regular);
    CHECK(llabs(facts.modified_ms - sw_clock_wall_ms()) < 10000);
    CHECK_OK(sw_file_stat(&facts, dir, &error), error);
    CHECK(facts.is_folder && !facts.is_regular);
    scratch_remove(dir);
}

TEST(temporary__is_written_and_read_and_has_no_name) {
    char dir[SCRATCH_BYTES], path[32], bytes[8];
    const char *set = getenv("TMPDIR");
    char *before = set ? strdup(set) : NULL;
    sw_buf names = {0};
    size_t got;
    int fd, again;
    scratch_make(dir);
    CHECK_INT(setenv("TMPDIR", dir, 1), 0);
    CHECK_OK(sw_file_temporary(&fd, &error), error);
    CHECK_OK(sw_file_write(fd, SW_STR("12345"), "it", &error), error);
    CHECK_OK(sw_file_each(dir, collect, &names, &error), error);
    CHECK_INT(names.len, 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK_OK(sw_file_open_read(&again, path, &error), error);
    CHECK_OK(sw_file_read(&got, again, bytes, sizeof bytes, path, &error), error);
    CHECK_STR(((sw_str){bytes, got}), "12345");
    sw_file_close(&again);
    sw_file_close(&fd);
#ifdef SW_FAULTS
    sw_file_fail_at(1, SW_FILE_FAULT_FULL);
    CHECK_INT(sw_file_temporary(&fd, &error).code, SW_CODE_IO);
    sw_file_fail_at(0, SW_FILE_FAULT_FULL);
#endif
    CHECK_INT(setenv("TMPDIR", "/nowhere", 1), 0);
    CHECK_INT(sw_file_temporary(&fd, &error).code, SW_CODE_NOT_FOUND);
    before ? setenv("TMPDIR", before, 1) : unsetenv("TMPDIR");
    free(before);
    scratch_remove(dir);
}

TEST(lock__is_one_holders_and_says_whose) {
    char dir[SCRATCH_BYTES];
    int fd, other;
    int64_t holder;
    scratch_make(dir);
    const char *path = scratch_path(dir, "lock");
    REQUIRE_OK(sw_file_lock(&fd, &holder, path, &error), error);
    CHECK_INT(sw_file_lock(&other, &holder, path, &error).code, SW_CODE_CONFLICT);
    CHECK_INT(holder, getpid());
    CHECK_INT(other, -1);
    sw_file_close(&fd);
    CHECK_OK(sw_file_lock(&fd, NULL, path, &error), error);
    sw_file_close(&fd);
    scratch_remove(dir);
}

TEST(lock__goes_with_a_process_that_is_killed) {
    char dir[SCRATCH_BYTES];
    int fd, ready[2];
    int64_t holder;
    char byte;
    scratch_make(dir);
    const char *path = scratch_path(dir, "lock");
    REQUIRE(pipe(ready) == 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        byte = sw_failed(sw_file_lock(&fd, NULL, path, NULL)) ? 'n' : 'y';
        if (write(ready[1], &byte, 1) == 1)
            pause();
        _exit(1);
    }
    CHECK(read(ready[0], &byte, 1) == 1 && byte == 'y');
    CHECK_INT(sw_file_lock(&fd, &holder, path, &error).code, SW_CODE_CONFLICT);
    CHECK_INT(holder, child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK_OK(sw_file_lock(&fd, &holder, path, &error), error);
    sw_file_close(&fd);
    close(ready[0]);
    close(ready[1]);
    scratch_remove(dir);
}

TEST(random__differs) {
    unsigned char a[32] = {0}, b[32] = {0};
    CHECK_OK(sw_file_random(a, sizeof a, &error), error);
    CHECK_OK(sw_file_random(b, sizeof b, &error), error);
    CHECK(memcmp(a, b, sizeof a) != 0);
}

TEST(path__that_is_too_long_is_refused) {
    static char huge[SW_PATH_BYTES + 10];
    char path[SW_PATH_BYTES];
    memset(huge, 'x', sizeof huge - 1);
    CHECK_INT(sw_file_path(path, "/tmp", huge, &error).code, SW_CODE_INVALID);
    CHECK_INT(sw_file_write_whole(huge, SW_STR(""), &error).code, SW_CODE_INVALID);
    CHECK(sw_failed(sw_file_make_folders(NULL, huge, &error)));
}

#ifdef SW_FAULTS
/* Whatever fails, the old content or the new is there, and a short write is no failure at all. */
static void sweep(const char *dir, sw_file_fault fault) {
    sw_buf text = {0};
    const char *path = scratch_path(dir, "x");
    for (size_t nth = 1;; nth++) {
        CHECK_OK(sw_file_write_whole(path, SW_STR("the old content"), &error), error);
        sw_file_fail_at(nth, fault);
        sw_status status = sw_file_write_whole(path, SW_STR("the new content"), &error);
        bool happened = sw_file_failed();
        sw_file_fail_at(0, fault);
        CHECK(access(scratch_path(dir, "x.new"), F_OK) != 0);
        path = scratch_path(dir, "x");
        sw_str got = read_back(&text, path);
        CHECK(sw_str_is(got, "the old content") || sw_str_is(got, "the new content"));
        if (!sw_failed(status))
            CHECK_STR(got, "the new content");
        CHECK(sw_failed(status) == (happened && fault != SW_FILE_FAULT_SHORT));
        if (!happened) {
            CHECK(nth > 5);
            break;
        }
        if (sw_failed(status) && fault == SW_FILE_FAULT_FULL)
            CHECK_HAS(error.text, "the disk is full");
    }
    sw_buf_free(&text);
}

TEST(write_whole__is_old_or_new_at_every_failure) {
    char dir[SCRATCH_BYTES];
    scratch_make(dir);
    sweep(dir, SW_FILE_FAULT_FULL);
    sweep(dir, SW_FILE_FAULT_BAD);
    sweep(dir, SW_FILE_FAULT_SHORT);
    scratch_remove(dir);
}

TEST(read__survives_short_reads) {
    char dir[SCRATCH_BYTES];
    sw_buf text = {0};
    scratch_make(dir);
    const char *path = scratch_path(dir, "x");
    CHECK_OK(sw_file_write_whole(path, SW_STR("1234567890"), &error), error);
    for (size_t nth = 1; nth < 5; nth++) {
        sw_file_fail_at(nth, SW_FILE_FAULT_SHORT);
        CHECK_STR(read_back(&text, path), "1234567890");
    }
    sw_file_fail_at(2, SW_FILE_FAULT_BAD);
    sw_buf_clear(&text);
    CHECK_INT(sw_file_read_whole(&text, path, 100, &error).code, SW_CODE_IO);
    sw_file_fail_at(0, SW_FILE_FAULT_BAD);
    sw_buf_free(&text);
    scratch_remove(dir);
}
#endif

TEST_MAIN
