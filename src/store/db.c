/* SPDX-License-Identifier: Apache-2.0 */
#include "store/db_private.h"

#include "base/mem.h"
#include "io/file.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>

/* Enough for every thread that waits on a disk; each costs some 100 KB once it has been used. */
enum { READERS_MAX = 4 };

typedef struct write_job {
    sw_db_fn *fn;
    void *context;
    sw_error *error;
    sw_status status;
    sw_task *after; /* to run once the write is durable */
    bool answered;
    pthread_cond_t wake;
    struct write_job *next;
} write_job;

struct sw_db {
    char path[SW_PATH_BYTES];
    int lock_fd;

    pthread_mutex_t mutex; /* guards what follows, up to the writer's own */
    pthread_cond_t queued;
    write_job *first;
    write_job **last;
    bool stopping;
    uint64_t writes, commits;
    pthread_cond_t reader_idle;
    sw_conn *idle_readers;
    int reader_count;

    pthread_t thread;
    sw_conn *writer; /* the writer thread's; NULL after a failure that it could not undo */
};

/* ---- Writing ---- */

/* Every write of the group that was content fails with the group's reason. */
static void fail_all(write_job *first, const write_job *end, sw_status status,
                     const sw_error *why) {
    for (write_job *job = first; job != end; job = job->next) {
        if (sw_failed(job->status))
            continue;
        job->status = status;
        if (job->error)
            *job->error = *why;
    }
}

static bool in_transaction(const sw_db *db) {
    return db->writer && sw_conn_in_transaction(db->writer);
}

/* Ends the transaction with nothing kept, even where there is no memory left to say so: what was
 * not undone must never be committed. The next group opens a new connection. */
static void abandon(sw_db *db) {
    if (in_transaction(db))
        (void)sw_failed(sw_conn_exec(db->writer, "ROLLBACK", NULL));
    if (in_transaction(db)) {
        sw_conn_disconnect(db->writer);
        db->writer = NULL;
    }
}

static sw_status run_in_savepoint(sw_db *db, write_job *job) {
    sw_conn *conn = db->writer;
    SW_TRY(sw_conn_exec(conn, "SAVEPOINT one_write", job->error));
    conn->after = &job->after;
    sw_status status = sw_conn_work(conn, job->fn, job->context, job->error);
    conn->after = NULL;
    if (!in_transaction(db)) /* SQLite gave up the whole transaction */
        return sw_failed(status)
                   ? status
                   : sw_fail(job->error, SW_CODE_IO, "database %s: a failure ended the transaction",
                             db->path);
    if (!sw_failed(status))
        status = sw_conn_exec(conn, "RELEASE one_write", job->error);
    if (!sw_failed(status))
        return SW_OK;
    if (sw_failed(sw_conn_exec(conn, "ROLLBACK TO one_write", NULL)))
        abandon(db);
    else /* where even this fails, the next savepoint of the same name lies within it */
        (void)sw_failed(sw_conn_exec(conn, "RELEASE one_write", NULL));
    return status;
}

static void end_transaction(sw_db *db, write_job *first) {
    sw_error why = {""};
    sw_status status = sw_conn_exec(db->writer, "COMMIT", &why);
    if (sw_failed(status)) {
        abandon(db);
        fail_all(first, NULL, status, &why);
    }
}

static sw_status begin_transaction(sw_db *db, sw_error *error) {
    if (!db->writer)
        SW_TRY(sw_conn_connect(&db->writer, db->path, true, error));
    return sw_conn_exec(db->writer, "BEGIN IMMEDIATE", error);
}

/* Runs jobs in one transaction until they end or the transaction does; returns the rest. */
static write_job *run_transaction(sw_db *db, write_job *first) {
    sw_error why = {""};
    sw_status status = begin_transaction(db, &why);
    if (sw_failed(status)) {
        fail_all(first, NULL, status, &why);
        return NULL;
    }
    for (write_job *job = first; job; job = job->next) {
        job->status = run_in_savepoint(db, job);
        if (!in_transaction(db)) {
            (void)sw_fail(
                &why, SW_CODE_IO,
                "database %s: another write that was to be committed together failed, and "
                "took this one with it. Try again",
                db->path);
            fail_all(first, job->next, (sw_status){SW_CODE_IO}, &why);
            return job->next;
        }
    }
    end_transaction(db, first);
    return NULL;
}

static void run_after_tasks(write_job *first) {
    for (write_job *job = first; job; job = job->next) {
        if (sw_failed(job->status))
            continue;
        for (sw_task *task = job->after, *next; task; task = next) {
            next = task->next;
            task->run(task);
        }
    }
}

static void answer(sw_db *db, write_job *first) {
    for (write_job *job = first, *next; job; job = next) {
        next = job->next; /* the job is gone once its caller sees the answer */
        db->writes++;
        job->answered = true;
        pthread_cond_signal(&job->wake);
    }
    db->commits++;
}

static write_job *take_queue(sw_db *db) {
    while (!db->first && !db->stopping)
        pthread_cond_wait(&db->queued, &db->mutex);
    write_job *first = db->first;
    db->first = NULL;
    db->last = &db->first;
    return first;
}

static void *write_loop(void *context) {
    sw_db *db = context;
    pthread_mutex_lock(&db->mutex);
    for (write_job *group; (group = take_queue(db));) {
        pthread_mutex_unlock(&db->mutex);
        for (write_job *rest = group; rest;)
            rest = run_transaction(db, rest);
        run_after_tasks(group);
        pthread_mutex_lock(&db->mutex);
        answer(db, group);
    }
    pthread_mutex_unlock(&db->mutex);
    return NULL;
}

sw_status sw_db_write(sw_db *db, sw_db_fn *fn, void *context, sw_error *error) {
    assert(!pthread_equal(pthread_self(), db->thread)); /* it would wait for itself */
    write_job job = {.fn = fn, .context = context, .error = error, .status = SW_OK};
    pthread_cond_init(&job.wake, NULL);
    pthread_mutex_lock(&db->mutex);
    *db->last = &job;
    db->last = &job.next;
    pthread_cond_signal(&db->queued);
    while (!job.answered)
        pthread_cond_wait(&job.wake, &db->mutex);
    pthread_mutex_unlock(&db->mutex);
    pthread_cond_destroy(&job.wake);
    return job.status;
}

void sw_db_counts(sw_db *db, uint64_t *writes, uint64_t *commits) {
    pthread_mutex_lock(&db->mutex);
    *writes = db->writes;
    *commits = db->commits;
    pthread_mutex_unlock(&db->mutex);
}

size_t sw_db_waiting(sw_db *db) {
    size_t count = 0;
    pthread_mutex_lock(&db->mutex);
    for (const write_job *job = db->first; job; job = job->next)
        count++;
    pthread_mutex_unlock(&db->mutex);
    return count;
}

/* ---- Reading ---- */

/* Gives the place of a reader that is no more to whoever waits. */
static void drop_reader(sw_db *db) {
    pthread_mutex_lock(&db->mutex);
    db->reader_count--;
    pthread_cond_signal(&db->reader_idle);
    pthread_mutex_unlock(&db->mutex);
}

static sw_status borrow_reader(sw_conn **out, sw_db *db, sw_error *error) {
    pthread_mutex_lock(&db->mutex);
    while (!db->idle_readers && db->reader_count == READERS_MAX)
        pthread_cond_wait(&db->reader_idle, &db->mutex);
    sw_conn *conn = db->idle_readers;
    if (conn)
        db->idle_readers = conn->next;
    else
        db->reader_count++;
    pthread_mutex_unlock(&db->mutex);
    *out = conn;
    if (conn)
        return SW_OK;
    sw_status status = sw_conn_connect(out, db->path, false, error);
    if (sw_failed(status))
        drop_reader(db);
    return status;
}

static void return_reader(sw_db *db, sw_conn *conn) {
    if (sw_conn_in_transaction(conn)) { /* would hold on to an old view for ever */
        sw_conn_disconnect(conn);
        drop_reader(db);
        return;
    }
    pthread_mutex_lock(&db->mutex);
    conn->next = db->idle_readers;
    db->idle_readers = conn;
    pthread_cond_signal(&db->reader_idle);
    pthread_mutex_unlock(&db->mutex);
}

sw_status sw_db_read(sw_db *db, sw_db_fn *fn, void *context, sw_error *error) {
    sw_conn *conn;
    SW_TRY(borrow_reader(&conn, db, error));
    sw_status status = sw_conn_exec(conn, "BEGIN", error);
    if (!sw_failed(status)) {
        status = sw_conn_work(conn, fn, context, error);
        if (sw_conn_in_transaction(conn))
            (void)sw_failed(sw_conn_exec(conn, "ROLLBACK", NULL));
    }
    return_reader(db, conn);
    return status;
}

/* ---- Opening and closing ---- */

static sw_status lock_folder(sw_db *db, sw_error *error) {
    char folder[SW_PATH_BYTES], lock_path[SW_PATH_BYTES];
    const char *slash = strrchr(db->path, '/');
    int len = slash ? (int)(slash - db->path) : 0;
    snprintf(folder, sizeof folder, "%.*s", slash ? len : 1, slash ? db->path : ".");
    if (slash == db->path)
        snprintf(folder, sizeof folder, "/");
    SW_TRY(sw_file_make_folders(NULL, folder, error));
    SW_TRY(sw_file_path(lock_path, folder, "lock", error));
    int64_t holder;
    sw_status status = sw_file_lock(&db->lock_fd, &holder, lock_path, error);
    if (status.code != SW_CODE_CONFLICT)
        return status;
    return sw_fail(error, SW_CODE_CONFLICT,
                   "the data folder %s is in use by another server (process %lld). Stop that one "
                   "first, or use another --data folder",
                   folder, (long long)holder);
}

/* Made here, because SQLite would let everybody read it; its log takes the same permissions. */
static sw_status make_private(const char *path, sw_error *error) {
    int fd;
    SW_TRY(sw_file_open_append(&fd, path, error));
    sw_file_close(&fd);
    return SW_OK;
}

/* Signals are for the threads that wait for them. */
static sw_status start_thread(sw_db *db, sw_error *error) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&db->thread, NULL, write_loop, db);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return sw_fail(error, SW_CODE_NO_MEMORY, "cannot start the database's thread: %s",
                       strerror(code));
    (void)pthread_setname_np(db->thread, "slipway-db");
    return SW_OK;
}

static sw_status start_writer(sw_db *db, sw_error *error) {
    SW_TRY(make_private(db->path, error));
    SW_TRY(sw_conn_connect(&db->writer, db->path, true, error));
    SW_TRY(sw_conn_migrate(db->writer, error));
    return start_thread(db, error);
}

/* All but the writer thread. */
static void release(sw_db *db) {
    for (sw_conn *conn = db->idle_readers, *next; conn; conn = next) {
        next = conn->next;
        sw_conn_disconnect(conn);
    }
    sw_conn_disconnect(db->writer); /* the last connection: SQLite moves the log into the file */
    sw_file_close(&db->lock_fd);
    pthread_cond_destroy(&db->queued);
    pthread_cond_destroy(&db->reader_idle);
    pthread_mutex_destroy(&db->mutex);
    sw_mem_free(db);
}

sw_status sw_db_open(sw_db **out, const char *path, sw_error *error) {
    if (strlen(path) >= SW_PATH_BYTES - 16)
        return sw_fail(error, SW_CODE_INVALID, "the path %.64s… is too long", path);
    sw_db *db = sw_mem_zalloc(1, sizeof *db);
    if (!db)
        return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory while opening %s", path);
    memcpy(db->path, path, strlen(path) + 1);
    db->lock_fd = -1;
    db->last = &db->first;
    pthread_mutex_init(&db->mutex, NULL);
    pthread_cond_init(&db->queued, NULL);
    pthread_cond_init(&db->reader_idle, NULL);
    sw_status status = lock_folder(db, error);
    if (!sw_failed(status))
        status = start_writer(db, error);
    if (sw_failed(status))
        release(db);
    else
        *out = db;
    return status;
}

void sw_db_close(sw_db *db) {
    if (!db)
        return;
    pthread_mutex_lock(&db->mutex);
    db->stopping = true;
    pthread_cond_signal(&db->queued);
    pthread_mutex_unlock(&db->mutex);
    pthread_join(db->thread, NULL);
    release(db);
}
