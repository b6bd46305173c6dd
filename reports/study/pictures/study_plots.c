#include "reports/study/pictures/study_plots.h"

#include "attn/alloc.h"
#include "attn/file.h"
#include "base/text/append.h"
#include "base/text/json.h"
#include "reports/plots/run/staging.h"
#include "reports/study/pictures/study_picture.h"
#include "reports/study/pictures/study_titles.h"

#include <dirent.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define ABOUT_WER "Bars: 95% intervals by the bootstrap over utterances, which are the same for all models."
#define ABOUT_LOSS                                                                                           \
    "The loss moves where few words are wrong: one word more or less moves the error rate by a step."
#define ABOUT_LATENCY                                                                                        \
    "Time is the wall clock, median of the runs of profile-kv; only models from scratch have all types."
#define CACHE "KV cache of a whole utterance, KiB"
#define WER "WER, %"
#define LOSS "CTC loss an utterance"
#define CHUNK "time of one chunk of a stream, ms"

static const study_picture pictures[] = {
    {"wer_cache", "Word error rate against KV cache", CACHE, WER, "kv_bytes", "wer_percent", 1.0 / 1024, true,
     STUDY_SCRATCH, STUDY_JOINED, ABOUT_WER},
    {"wer_cache_converted", "Word error rate against KV cache", CACHE, WER, "kv_bytes", "wer_percent",
     1.0 / 1024, true, STUDY_CONVERTED, STUDY_JOINED,
     "Before any tuning, next to the MHA that all come from. " ABOUT_WER},
    {"wer_cache_tuned", "Word error rate against KV cache", CACHE, WER, "kv_bytes", "wer_percent", 1.0 / 1024,
     true, STUDY_TUNED, STUDY_JOINED,
     "MHA is trained as much longer; in steps: to smaller latents one by one. " ABOUT_WER},
    {"loss_cache", "CTC loss against KV cache", CACHE, LOSS, "kv_bytes", "loss", 1.0 / 1024, true,
     STUDY_SCRATCH, STUDY_JOINED, ABOUT_LOSS},
    {"loss_cache_converted", "CTC loss against KV cache", CACHE, LOSS, "kv_bytes", "loss", 1.0 / 1024, true,
     STUDY_CONVERTED, STUDY_JOINED, ABOUT_LOSS},
    {"loss_cache_tuned", "CTC loss against KV cache", CACHE, LOSS, "kv_bytes", "loss", 1.0 / 1024, true,
     STUDY_TUNED, STUDY_JOINED, ABOUT_LOSS},
    {"wer_latent", "Word error rate against latent_dim", "latent_dim", WER, "latent_dim", "wer_percent", 1,
     true, STUDY_GROUPS, STUDY_JOINED, ABOUT_WER},
    {"loss_latent", "CTC loss against latent_dim", "latent_dim", LOSS, "latent_dim", "loss", 1, true,
     STUDY_GROUPS, STUDY_JOINED, "latent_dim = d_model is exact by conversion; below it something is lost."},
    {"wer_latency", "Word error rate against latency", CHUNK, WER, "chunk_ms", "wer_percent", 1, false,
     STUDY_SCRATCH, STUDY_POINTS, ABOUT_LATENCY " " ABOUT_WER},
    {"loss_latency", "CTC loss against latency", CHUNK, LOSS, "chunk_ms", "loss", 1, false, STUDY_SCRATCH,
     STUDY_POINTS, ABOUT_LATENCY},
    {"curves", "Learning curves", "epoch", "CTC loss, development split", NULL, NULL, 1, false, STUDY_SCRATCH,
     STUDY_JOINED, "Mean over seeds (and folds)."},
    {"curves_tuned", "Learning curves", "epoch, those of the first training included",
     "CTC loss, development split", NULL, NULL, 1, false, STUDY_TUNED, STUDY_JOINED,
     "MHA is trained as much longer; in steps: to smaller latents one by one."}};
enum { PICTURES = sizeof pictures / sizeof *pictures };

static void find_lines(study_lines *l, const study_data *d, const char *model, const study_picture *p) {
    if (p->x)
        study_lines_of(l, d, model, p->x, p->y, p->group);
    else
        study_curves_of(l, d, model, p->group == STUDY_TUNED);
}

/* One for all pictures of the same axes, so that what is compared has the same. */
static plot_frame frame_of(const study_data *d, const char *model, const study_picture *p) {
    plot_frame f = frame_empty(420, 340, p->log_x, true);
    for (size_t i = 0; i < PICTURES; i++) {
        study_lines lines;
        if (strcmp(pictures[i].x_label, p->x_label) || strcmp(pictures[i].y_label, p->y_label))
            continue;
        find_lines(&lines, d, model, &pictures[i]);
        study_picture_hold(&f, &pictures[i], &lines);
    }
    frame_close(&f);
    return f;
}

static void find_title(char *text, size_t size, const study_picture *p, const study_lines *l) {
    if (!p->x)
        study_title_curves(text, size, l);
    else if (!strcmp(p->x, "kv_bytes"))
        study_title_cache(text, size, l, p->y, p->group);
    else if (!strcmp(p->x, "latent_dim"))
        study_title_latent(text, size, l, p->y);
    else
        study_title_latency(text, size, l);
}

enum { SHOWS = 96, WHOSE = 80 };

static const char *short_of(char text[SHOWS], const study_picture *p) {
    snprintf(text, SHOWS, "%s%s%s", p->shows, p->group < STUDY_GROUPS ? ", " : "",
             p->group < STUDY_GROUPS ? study_group_names[p->group] : "");
    return text;
}

static void describe(study_figure *f, const study_data *d, const char *whose, const study_picture *p) {
    char shows[SHOWS];
    snprintf(f->shows, sizeof f->shows, "%s, %s", short_of(shows, p), whose);
    snprintf(f->about, sizeof f->about, "%s%s%s%s", d->synthetic ? "Synthetic speech. " : "",
             p->x ? d->heard : "", p->x ? " " : "", p->about);
    if (p->log_x)
        text_append(f->about, sizeof f->about, " Types of one size stand a little apart.");
    if (p->x && !strcmp(p->x, "kv_bytes"))
        text_append(f->about, sizeof f->about, " Bytes by formula, equal to the live ones; float32.");
}

static int add_picture(study_data *d, const char *model, size_t number, const study_picture *p,
                       const char *folder, attn_error *error) {
    study_lines lines;
    picture look = {.marks = NULL};
    char shows[SHOWS], whose[WHOSE];
    find_lines(&lines, d, model, p);
    if (!lines.count || d->figure_count == STUDY_FIGURES_MAX)
        return 0;
    study_figure *f = &d->figures[d->figure_count++];
    snprintf(f->name, sizeof f->name, "study_%zu_%s", number, p->name);
    find_title(f->title, sizeof f->title, p, &lines);
    snprintf(whose, sizeof whose, "%.40s%s", model, d->synthetic ? ", synthetic speech" : "");
    describe(f, d, whose, p);
    memcpy(look.title, f->title, sizeof look.title);
    snprintf(look.basis, sizeof look.basis, "%.90s", json_text(d->root, "cpu"));
    look.frame = frame_of(d, model, p);
    int failed = study_picture_write(&look, p, &lines, f->name, short_of(shows, p), whose, folder, error);
    f->marks = json_incref(look.marks);
    picture_free(&look);
    return failed;
}

static bool seen_before(const study_data *d, size_t row, const char *model) {
    for (size_t i = 0; i < row; i++)
        if (!strcmp(json_text(json_array_get(d->models, i), "model"), model))
            return true;
    return false;
}

static int write_pictures(study_data *d, const char *folder, attn_error *error) {
    size_t i, number = 0;
    json_t *row;
    json_array_foreach(d->models, i, row) {
        const char *model = json_text(row, "model");
        if (seen_before(d, i, model))
            continue;
        number++;
        for (size_t k = 0; k < PICTURES; k++)
            if (add_picture(d, model, number, &pictures[k], folder, error))
                return -1;
    }
    return 0;
}

static int make_pictures(study_data *d, const char *folder, drawing *drawn, attn_error *error) {
    drawing_job jobs[STUDY_FIGURES_MAX];
    if (write_pictures(d, folder, error))
        return -1;
    for (size_t i = 0; i < d->figure_count; i++)
        jobs[i] = (drawing_job){d->figures[i].name, d->figures[i].marks, &d->figures[i].svg};
    drawing_run(drawn, folder, jobs, d->figure_count);
    return 0;
}

static int move_figure(const study_figure *f, const char *from, const char *to, attn_error *error) {
    static const char *const extensions[] = {".dat", ".gp", ".svg", ".png", ".pdf"};
    for (size_t i = 0; i < (f->svg ? 5 : 2); i++)
        if (staging_move(from, to, f->name, extensions[i], error))
            return -1;
    return 0;
}

static void remove_old(const char *folder) {
    DIR *open = opendir(folder);
    for (struct dirent *entry; open && (entry = readdir(open));)
        if (!strncmp(entry->d_name, "study_", 6))
            unlinkat(dirfd(open), entry->d_name, 0);
    if (open)
        closedir(open);
}

int study_plots_draw(study_data *d, const char *folder, drawing *drawn, attn_error *error) {
    d->figures = attn_alloc(STUDY_FIGURES_MAX, sizeof *d->figures, "figures", error);
    char *work = !d->figures || attn_make_folder(folder, error) ? NULL : staging_make(folder, error);
    int failed = work ? make_pictures(d, work, drawn, error) : -1;
    if (!failed)
        remove_old(folder);
    for (size_t i = 0; !failed && i < d->figure_count; i++)
        failed = move_figure(&d->figures[i], work, folder, error);
    if (work)
        staging_remove(work);
    attn_free(work);
    return failed;
}
