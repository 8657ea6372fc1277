/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels: durable first, then looked for in the log.
 *
 * Whichever comes second finds the other: a label that was committed looks for its row among the
 * log's ids; a row that became findable looks for its label in the database. What a crash kept from
 * being joined is joined at the next start: labels carry a number that only grows (`seq`), and how
 * far all of them have been joined is remembered.
 */
#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "decay/decay_private.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

enum {
    KEEP_S = 1,
    LABEL_DAYS_MIN = 90, /* labels are kept this long at least, and as long as their log */
    EXPIRE_EVERY_S = 3600,
    EXPIRE_ROWS = 20000,
    FUTURE_MS_MAX = 5 * 60 * 1000, /* by how much clocks may differ */
    PAGE = 5000,
};

static sw_status no_memory(sw_error *error) {
    return sw_fail(error, SW_CODE_NO_MEMORY, "out of memory for the labels");
}

/* ---- What a label says ---- */

sw_str sw_label_class(decay_model *model, uint32_t code) {
    pthread_mutex_lock(&model->lock);
    sw_str name = code < model->class_count ? sw_str_of(model->classes[code].name) : (sw_str){0};
    pthread_mutex_unlock(&model->lock);
    return name;
}

static sw_status find_class(double *code, decay_model *model, sw_str name, sw_error *error) {
    uint32_t at = 0;
    sw_status status = SW_OK;
    pthread_mutex_lock(&model->lock);
    while (at < model->class_count && !sw_str_is(name, model->classes[at].name))
        at++;
    if (at == SW_CLASSES_MAX) {
        status = sw_fail(error, SW_CODE_INVALID,
                         "label '%.*s' is one class too many: labels are numbers, or at most %d "
                         "names. Is the right column sent as the label?",
                         SW_STR_ARG(name), SW_CLASSES_MAX);
    } else if (at == model->class_count) {
        model->classes[at] = (label_class){sw_mem_copy(name.at, name.len), false};
        if (model->classes[at].name)
            model->class_count++;
        else
            status = no_memory(error);
    }
    pthread_mutex_unlock(&model->lock);
    *code = at;
    return status;
}

static bool label_number(double *out, sw_str label) {
    bool yes = sw_str_is(label, "true") || sw_str_is(label, "True"),
         no = sw_str_is(label, "false") || sw_str_is(label, "False");
    *out = yes ? 1 : 0;
    return yes || no || (sw_num_parse_f64(out, label) == SW_NUM_FITS && isfinite(*out));
}

bool sw_label_same(sw_str a, sw_str b) {
    double x, y;
    return sw_str_eq(a, b) || (label_number(&x, a) && label_number(&y, b) && x == y);
}

sw_status sw_label_place(placed_label *out, decay_model *model, sw_str id, sw_str label,
                         int64_t at_ms, sw_error *error) {
    int64_t at_s = at_ms / 1000;
    *out = (placed_label){.hash = sw_plog_hash(id, 0)};
    out->label.at_s = at_s < 0 ? 0 : at_s > UINT32_MAX ? UINT32_MAX : (uint32_t)at_s;
    out->label.kind = PLOG_LABEL_NUMBER;
    if (label_number(&out->label.value, label))
        return SW_OK;
    out->label.kind = PLOG_LABEL_CLASS;
    return find_class(&out->label.value, model, label, error);
}

static sw_status check(const sw_label *label, size_t number, int64_t now_ms, sw_error *error) {
    if (label->id.len == 0 || label->id.len > SW_PLOG_ID_BYTES_MAX || !sw_str_is_utf8(label->id))
        return sw_fail(error, SW_CODE_INVALID,
                       "label %zu: \"id\" must be the prediction's, of 1 to %d bytes of UTF-8",
                       number, SW_PLOG_ID_BYTES_MAX);
    if (label->label.len == 0 || label->label.len > SW_LABEL_BYTES_MAX ||
        !sw_str_is_utf8(label->label) || memchr(label->label.at, 0, label->label.len))
        return sw_fail(
            error, SW_CODE_INVALID,
            "label %zu (id '%.*s'): \"label\" must be a number or a class's name of 1 to "
            "%d bytes of UTF-8",
            number, SW_STR_ARG(label->id), SW_LABEL_BYTES_MAX);
    if (label->at_ms < 0)
        return sw_fail(error, SW_CODE_INVALID,
                       "label %zu (id '%.*s'): \"at_ms\" is before 1970: give ms since then",
                       number, SW_STR_ARG(label->id));
    if (label->at_ms > now_ms + FUTURE_MS_MAX)
        return sw_fail(error, SW_CODE_INVALID,
                       "label %zu (id '%.*s'): \"at_ms\" is a time that is yet to come: are the "
                       "clocks right, and is the unit milliseconds?",
                       number, SW_STR_ARG(label->id));
    return SW_OK;
}

/* ---- Models ---- */

static void free_model(decay_model *model) {
    for (uint32_t i = 0; model->classes && i < model->class_count; i++)
        sw_mem_free(model->classes[i].name);
    sw_mem_free(model->classes);
    sw_mem_free(model->name);
    pthread_mutex_destroy(&model->lock);
    sw_mem_free(model);
}

static sw_status make_model(decay_model **out, sw_decay *decay, sw_str name, sw_error *error) {
    decay_model *model = sw_mem_zalloc(1, sizeof *model);
    if (!model)
        return no_memory(error);
    pthread_mutex_init(&model->lock, NULL);
    model->name = sw_mem_copy(name.at, name.len);
    model->classes = sw_mem_zalloc(SW_CLASSES_MAX, sizeof *model->classes);
    sw_status status = model->name && model->classes ? sw_labels_load_model(decay->db, model, error)
                                                     : no_memory(error);
    if (sw_failed(status))
        free_model(model);
    else
        *out = model;
    return status;
}

static decay_model *find_model(sw_decay *decay, sw_str name) {
    decay_model *model = decay->models;
    while (model && !sw_str_is(name, model->name))
        model = model->next;
    return model;
}

sw_status sw_decay_model_of(decay_model **out, sw_decay *decay, sw_str name, sw_error *error) {
    sw_status status = SW_OK;
    pthread_mutex_lock(&decay->lock);
    *out = find_model(decay, name);
    if (!*out) {
        status = make_model(out, decay, name, error);
        if (!sw_failed(status)) {
            (*out)->next = decay->models;
            decay->models = *out;
        }
    }
    pthread_mutex_unlock(&decay->lock);
    return status;
}

/* ---- Joining ---- */

typedef struct placing {
    uint64_t segment;
    uint32_t row;
    const sw_plog_label *label;
} placing;

static int by_place(const void *left, const void *right) {
    const placing *a = left, *b = right;
    if (a->segment != b->segment)
        return a->segment < b->segment ? -1 : 1;
    return (a->row > b->row) - (a->row < b->row);
}

/* To be synced before anybody relies on it. */
static sw_status note_touched(sw_decay *decay, plog_store *store, uint64_t segment, int fd,
                              const char *path, sw_error *error) {
    pthread_mutex_lock(&decay->sync_lock);
    uint32_t at = 0;
    while (at < decay->touched_count &&
           (decay->touched[at].store != store || decay->touched[at].segment != segment))
        at++;
    bool room = at < sizeof decay->touched / sizeof *decay->touched;
    if (room && at == decay->touched_count)
        decay->touched[decay->touched_count++] = (struct touched){store, segment};
    pthread_mutex_unlock(&decay->sync_lock);
    return room ? SW_OK : sw_file_sync(fd, path, error);
}

/* Labels of one segment, in the order of their rows: neighbours go in one write. */
static sw_status write_segment(sw_decay *decay, plog_store *store, const placing *places,
                               size_t count, sw_error *error) {
    enum { RUN = 64 };
    char path[SW_PATH_BYTES];
    sw_plog_label run[RUN];
    int fd;
    sw_plog_store_path(path, store, places[0].segment, "labels");
    SW_TRY(sw_file_open_update(&fd, path, error));
    sw_status status = SW_OK;
    for (size_t i = 0, n; !sw_failed(status) && i < count; i += n) {
        for (n = 0; n < RUN && i + n < count && places[i + n].row == places[i].row + n; n++)
            run[n] = *places[i + n].label;
        n = n ? n : 1;
        status = sw_file_write_at(fd, (sw_str){(char *)run, n * sizeof *run},
                                  (uint64_t)places[i].row * sizeof *run, path, error);
        sw_plog_store_touch(store, places[i].segment, places[i].row,
                            places[i].row + (uint32_t)n - 1);
    }
    if (!sw_failed(status))
        status = note_touched(decay, store, places[0].segment, fd, path, error);
    sw_file_close(&fd);
    return status;
}

static sw_status write_places(sw_decay *decay, plog_store *store, placing *places, size_t count,
                              sw_error *error) {
    qsort(places, count, sizeof *places, by_place);
    for (size_t i = 0, n; i < count; i += n) {
        for (n = 1; i + n < count && places[i + n].segment == places[i].segment; n++)
            ;
        SW_TRY(write_segment(decay, store, places + i, n, error));
    }
    return SW_OK;
}

typedef struct joining {
    sw_decay *decay;
    placed_label *labels;
    size_t count;
    uint64_t *hashes;
    plog_place *places;
    placing *placings;
    sw_status status;
    sw_error *error;
} joining;

static void join_store(plog_store *store, void *context) {
    joining *j = context;
    size_t found = 0;
    if (sw_failed(j->status))
        return;
    j->status = sw_plog_locate(j->places, store, j->hashes, j->count, j->error);
    for (size_t i = 0; !sw_failed(j->status) && i < j->count; i++) {
        if (!j->places[i].found)
            continue;
        j->labels[i].joined = true;
        j->placings[found++] =
            (placing){j->places[i].segment, j->places[i].row, &j->labels[i].label};
    }
    if (!sw_failed(j->status) && found)
        j->status = write_places(j->decay, store, j->placings, found, j->error);
}

sw_status sw_labels_join(sw_decay *decay, decay_model *model, placed_label *labels, size_t count,
                         sw_error *error) {
    joining j = {.decay = decay, .labels = labels, .count = count, .error = error};
    j.hashes = sw_mem_alloc(count * sizeof *j.hashes);
    j.places = sw_mem_alloc(count * sizeof *j.places);
    j.placings = sw_mem_alloc(count * sizeof *j.placings);
    j.status = j.hashes && j.places && j.placings ? SW_OK : no_memory(error);
    for (size_t i = 0; !sw_failed(j.status) && i < count; i++)
        j.hashes[i] = labels[i].hash;
    if (!sw_failed(j.status))
        sw_plog_each_store(decay->log, sw_str_of(model->name), join_store, &j);
    sw_mem_free(j.hashes);
    sw_mem_free(j.places);
    sw_mem_free(j.placings);
    return j.status;
}

/* ---- Taking labels in ---- */

/* `first`: how many of the same body came before these. */
static sw_status place_all(placed_label *out, decay_model *model, const sw_label *labels,
                           size_t count, size_t first, int64_t now_ms, sw_error *error) {
    for (size_t i = 0; i < count; i++) {
        SW_TRY(check(&labels[i], first + i, now_ms, error));
        SW_TRY(sw_label_place(&out[i], model, labels[i].id, labels[i].label,
                              labels[i].at_ms ? labels[i].at_ms : now_ms, error));
    }
    return SW_OK;
}

static void end_flight(decay_model *model, bool joined) {
    pthread_mutex_lock(&model->lock);
    model->in_flight--;
    model->replay |= !joined;
    if (model->in_flight == 0 && !model->replay)
        model->joined_seq = model->newest_seq;
    pthread_mutex_unlock(&model->lock);
}

/* Once they are durable they are accepted: a failure to join is made good later. */
static sw_status add(sw_label_counts *counts, sw_decay *decay, decay_model *model,
                     const sw_label *labels, placed_label *placed, size_t count, sw_error *error) {
    int64_t now_ms = sw_clock_wall_ms();
    SW_TRY(place_all(placed, model, labels, count, counts->accepted, now_ms, error));
    pthread_mutex_lock(&model->lock);
    model->in_flight++;
    pthread_mutex_unlock(&model->lock);
    sw_status status = sw_labels_write(counts, decay->db, model, labels, count, now_ms, error);
    bool joined = true;
    if (!sw_failed(status))
        joined = !sw_failed(sw_labels_join(decay, model, placed, count, NULL));
    end_flight(model, joined);
    for (size_t i = 0; !sw_failed(status) && i < count; i++) {
        counts->joined += placed[i].joined;
        counts->waiting += !placed[i].joined;
    }
    return status;
}

sw_status sw_decay_add_labels(sw_label_counts *counts, sw_decay *decay, sw_str name,
                              const sw_label *labels, size_t count, sw_error *error) {
    decay_model *model;
    if (count == 0)
        return SW_OK;
    if (count > SW_LABELS_BATCH_MAX)
        return sw_fail(error, SW_CODE_TOO_LARGE, "more than %d labels at once",
                       SW_LABELS_BATCH_MAX);
    SW_TRY(sw_decay_model_of(&model, decay, name, error));
    placed_label *placed = sw_mem_alloc(count * sizeof *placed);
    if (!placed)
        return no_memory(error);
    sw_status status = add(counts, decay, model, labels, placed, count, error);
    sw_mem_free(placed);
    return status;
}

/* ---- Rows that came after their labels ---- */

typedef struct gathered {
    sw_decay *decay;
    decay_model *model;
    placed_label labels[PAGE];
    size_t count;
    int64_t last_seq;
} gathered;

static sw_status gather(const stored_label *label, void *context, sw_error *error) {
    gathered *g = context;
    g->last_seq = label->seq;
    SW_TRY(sw_label_place(&g->labels[g->count], g->model, label->id, label->label, label->at_ms,
                          error));
    g->count++;
    return SW_OK;
}

static sw_status join_ids(sw_decay *decay, decay_model *model, const sw_str *ids, size_t count,
                          sw_error *error) {
    gathered *g = sw_mem_alloc(sizeof *g);
    if (!g)
        return no_memory(error);
    sw_status status = SW_OK;
    for (size_t i = 0, n; !sw_failed(status) && i < count; i += n) {
        n = count - i < PAGE ? count - i : PAGE;
        g->model = model;
        g->count = 0;
        status =
            sw_labels_read_ids(decay->db, sw_str_of(model->name), ids + i, n, gather, g, error);
        if (!sw_failed(status) && g->count)
            status = sw_labels_join(decay, model, g->labels, g->count, error);
    }
    sw_mem_free(g);
    return status;
}

static void replay_all(decay_model *model) {
    pthread_mutex_lock(&model->lock);
    model->replay = true;
    model->joined_seq = 0;
    pthread_mutex_unlock(&model->lock);
}

static void on_stored(plog_store *store, const plog_segment *segment, uint32_t first_row,
                      const plog_block *block, void *context) {
    sw_decay *decay = context;
    (void)segment;
    (void)first_row;
    pthread_mutex_lock(&decay->lock);
    decay_model *model = find_model(decay, sw_str_of(store->model));
    pthread_mutex_unlock(&decay->lock);
    if (!model || !model->has_labels)
        return;
    sw_str *ids = sw_mem_alloc(block->rows * sizeof *ids);
    const char *at = block->chunks[PLOG_ID].at;
    for (uint32_t i = 0; ids && i < block->rows; i++) {
        uint32_t len;
        memcpy(&len, at, sizeof len);
        ids[i] = (sw_str){at + sizeof len, len};
        at += sizeof len + len;
    }
    if (!ids || sw_failed(join_ids(decay, model, ids, block->rows, NULL)))
        replay_all(model);
    sw_mem_free(ids);
}

/* ---- What a crash or a full disk kept from being joined ---- */

static sw_status visit_recovered(const plog_view *view, void *context, sw_error *error) {
    gathered *g = context;
    return join_ids(g->decay, g->model, view->rows.ids, view->rows.count, error);
}

static bool want_none(const sw_plog_column *column, void *context) {
    (void)column;
    (void)context;
    return false;
}

typedef struct recovering {
    sw_decay *decay;
    decay_model *model;
    bool failed;
} recovering;

/* Rows that were stored just before a crash may have labels older than any replay. */
static void recover_store(plog_store *store, void *context) {
    recovering *r = context;
    sw_arena arena = {0};
    plog_segment *segments = NULL;
    size_t count = 0;
    gathered *g = sw_mem_zalloc(1, sizeof *g);
    sw_status status =
        g ? sw_plog_store_list(&segments, &count, store, &arena, NULL) : no_memory(NULL);
    for (size_t i = 0; !sw_failed(status) && i < count; i++) {
        if (!segments[i].recovered)
            continue;
        g->decay = r->decay;
        g->model = r->model;
        plog_scan scan = {.from_ms = segments[i].first_ms,
                          .to_ms = segments[i].last_ms + 1,
                          .want = want_none,
                          .visit = visit_recovered,
                          .context = g};
        status = sw_plog_scan_store(store, &scan, NULL);
    }
    r->failed |= sw_failed(status);
    sw_mem_free(g);
    sw_arena_free(&arena);
}

/* One page; false where nothing is left, or it failed. */
static bool replay_page(sw_decay *decay, decay_model *model, gathered *g) {
    pthread_mutex_lock(&model->lock);
    int64_t after = model->joined_seq;
    pthread_mutex_unlock(&model->lock);
    g->model = model;
    g->count = 0;
    if (sw_failed(
            sw_labels_read_after(decay->db, sw_str_of(model->name), after, PAGE, gather, g, NULL)))
        return false;
    if (g->count && sw_failed(sw_labels_join(decay, model, g->labels, g->count, NULL)))
        return false;
    pthread_mutex_lock(&model->lock);
    if (g->count)
        model->joined_seq = g->last_seq;
    else
        model->replay = false;
    pthread_mutex_unlock(&model->lock);
    return g->count > 0;
}

static void replay(sw_decay *decay, decay_model *model) {
    gathered *g = sw_mem_alloc(sizeof *g);
    while (g && !decay->stopping && replay_page(decay, model, g))
        ;
    sw_mem_free(g);
}

/* ---- The keeper ---- */

static sw_status sync_touched(sw_decay *decay) {
    pthread_mutex_lock(&decay->sync_lock);
    sw_status status = SW_OK;
    while (!sw_failed(status) && decay->touched_count) {
        const struct touched *t = &decay->touched[decay->touched_count - 1];
        char path[SW_PATH_BYTES];
        int fd;
        sw_plog_store_path(path, t->store, t->segment, "labels");
        status = sw_file_open_read(&fd, path, NULL);
        if (!sw_failed(status)) {
            status = sw_file_sync(fd, path, NULL);
            sw_file_close(&fd);
        } else if (status.code == SW_CODE_NOT_FOUND) {
            status = SW_OK; /* expired meanwhile */
        }
        if (!sw_failed(status))
            decay->touched_count--;
    }
    pthread_mutex_unlock(&decay->sync_lock);
    return status;
}

static void save_joined(sw_decay *decay, decay_model *model) {
    pthread_mutex_lock(&model->lock);
    int64_t joined = model->joined_seq, saved = model->saved_seq;
    pthread_mutex_unlock(&model->lock);
    if (joined == saved || sw_failed(sync_touched(decay)))
        return;
    if (!sw_failed(sw_labels_save_joined(decay->db, sw_str_of(model->name), joined, NULL)))
        model->saved_seq = joined;
}

typedef struct days {
    uint32_t most;
} days;

static void see_days(plog_store *store, void *context) {
    days *d = context;
    uint32_t here = store->retention->days;
    d->most = here > d->most ? here : d->most;
}

static void expire(sw_decay *decay, decay_model *model) {
    days d = {LABEL_DAYS_MIN};
    int64_t removed = EXPIRE_ROWS;
    sw_plog_each_store(decay->log, sw_str_of(model->name), see_days, &d);
    int64_t before = sw_label_seq(sw_clock_wall_ms() - (int64_t)d.most * 86400000);
    while (removed == EXPIRE_ROWS && !decay->stopping)
        if (sw_failed(sw_labels_expire(&removed, decay->db, sw_str_of(model->name), before,
                                       EXPIRE_ROWS, NULL)))
            return;
}

static decay_model *first_model(sw_decay *decay) {
    pthread_mutex_lock(&decay->lock);
    decay_model *model = decay->models; /* models are only ever added in front */
    pthread_mutex_unlock(&decay->lock);
    return model;
}

static void keep(sw_decay *decay, uint64_t second) {
    sw_quality_keep(decay);
    for (decay_model *model = first_model(decay); model; model = model->next) {
        if (model->replay)
            replay(decay, model);
        save_joined(decay, model);
        if (second % EXPIRE_EVERY_S == 60)
            expire(decay, model);
    }
}

static void recover_all(sw_decay *decay) {
    for (decay_model *model = first_model(decay); model; model = model->next) {
        recovering r = {decay, model, false};
        sw_plog_each_store(decay->log, sw_str_of(model->name), recover_store, &r);
        if (r.failed)
            replay_all(model);
    }
}

static void *run_keeper(void *context) {
    sw_decay *decay = context;
    recover_all(decay);
    pthread_mutex_lock(&decay->sleep_lock);
    for (uint64_t second = 0; !decay->stopping; second++) {
        struct timespec until;
        pthread_mutex_unlock(&decay->sleep_lock);
        keep(decay, second);
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += KEEP_S;
        pthread_mutex_lock(&decay->sleep_lock);
        if (!decay->stopping)
            pthread_cond_timedwait(&decay->wake, &decay->sleep_lock, &until);
    }
    pthread_mutex_unlock(&decay->sleep_lock);
    return NULL;
}

/* ---- Opened and closed ---- */

static void add_model(sw_str name, void *context) {
    decay_model *ignored;
    (void)sw_failed(sw_decay_model_of(&ignored, context, name, NULL));
}

typedef struct names {
    sw_arena arena;
    sw_str at[4096];
    size_t count;
} names;

static void take_name(sw_str name, void *context) {
    names *n = context;
    if (n->count < sizeof n->at / sizeof *n->at)
        n->at[n->count++] = sw_arena_copy(&n->arena, name);
}

/* Names first: a read within a read is not allowed. */
static sw_status load_models(sw_decay *decay, sw_error *error) {
    names *n = sw_mem_zalloc(1, sizeof *n);
    if (!n)
        return no_memory(error);
    sw_status status = sw_labels_each_model(decay->db, take_name, n, error);
    for (size_t i = 0; !sw_failed(status) && i < n->count; i++)
        add_model(n->at[i], decay);
    sw_arena_free(&n->arena);
    sw_mem_free(n);
    return status;
}

static sw_status start(sw_decay *decay, sw_error *error) {
    SW_TRY(load_models(decay, error));
    sw_plog_listen(decay->log, on_stored, decay);
    if (pthread_create(&decay->thread, NULL, run_keeper, decay) != 0)
        return sw_fail(error, SW_CODE_NO_MEMORY, "cannot start the thread that joins labels");
    (void)pthread_setname_np(decay->thread, "labels");
    decay->running = true;
    return SW_OK;
}

sw_status sw_decay_open(sw_decay **out, sw_db *db, sw_plog *log, sw_error *error) {
    sw_decay *decay = sw_mem_zalloc(1, sizeof *decay);
    if (!decay)
        return no_memory(error);
    decay->db = db;
    decay->log = log;
    pthread_mutex_init(&decay->lock, NULL);
    pthread_mutex_init(&decay->quality_lock, NULL);
    pthread_mutex_init(&decay->sync_lock, NULL);
    pthread_mutex_init(&decay->sleep_lock, NULL);
    pthread_cond_init(&decay->wake, NULL);
    sw_status status = start(decay, error);
    if (sw_failed(status))
        sw_decay_close(decay);
    else
        *out = decay;
    return status;
}

void sw_decay_close(sw_decay *decay) {
    if (!decay)
        return;
    sw_plog_flush(decay->log); /* the last rows meet their labels */
    sw_plog_listen(decay->log, NULL, NULL);
    if (decay->running) {
        pthread_mutex_lock(&decay->sleep_lock);
        decay->stopping = true;
        pthread_cond_signal(&decay->wake);
        pthread_mutex_unlock(&decay->sleep_lock);
        pthread_join(decay->thread, NULL);
        for (decay_model *model = decay->models; model; model = model->next)
            save_joined(decay, model);
    }
    for (decay_model *model = decay->models, *next; model; model = next) {
        next = model->next;
        free_model(model);
    }
    sw_quality_cells_free(decay->cells);
    sw_quality_results_free(decay->results);
    pthread_mutex_destroy(&decay->lock);
    pthread_mutex_destroy(&decay->quality_lock);
    pthread_mutex_destroy(&decay->sync_lock);
    pthread_mutex_destroy(&decay->sleep_lock);
    pthread_cond_destroy(&decay->wake);
    sw_mem_free(decay);
}
