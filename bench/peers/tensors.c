#define _GNU_SOURCE /* memfd_create */
#include "bench/peers/tensors.h"

#include "base/text/json.h"
#include "bench/field.h"

#include "attn/alloc.h"
#include "attn/safetensors.h"
#include "attn/size.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void peer_tensors_free(peer_tensors *t) {
    for (size_t i = 0; i < t->count; i++)
        attn_free(t->list[i].own);
    attn_free(t->list);
    *t = (peer_tensors){0};
}

static size_t product(size_t rank, const size_t *dims) {
    size_t count = 1;
    for (size_t i = 0; i < rank; i++)
        count *= dims[i];
    return count;
}

int peer_tensors_add(peer_tensors *t, const char *name, size_t rank, const size_t *dims, const float *data,
                     attn_error *error) {
    peer_tensor *grown = attn_grown(t->list, t->count, sizeof *grown, "tensors for a peer", error);
    if (!grown)
        return -1;
    t->list = grown;
    peer_tensor *one = &t->list[t->count];
    *one = (peer_tensor){.rank = rank, .data = data};
    if ((size_t)snprintf(one->name, sizeof one->name, "%s", name) >= sizeof one->name)
        return attn_fail(error, "%s: the name of a tensor is too long", name);
    memcpy(one->dims, dims, rank * sizeof *dims);
    t->count++;
    return 0;
}

float *peer_tensors_new(peer_tensors *t, const char *name, size_t rank, const size_t *dims,
                        attn_error *error) {
    float *own = attn_alloc(product(rank, dims), sizeof *own, "tensors for a peer", error);
    if (!own || peer_tensors_add(t, name, rank, dims, own, error)) {
        attn_free(own);
        return NULL;
    }
    t->list[t->count - 1].own = own;
    return own;
}

static int add_slot(peer_tensors *t, const char *prefix, const attn_cache *cache, size_t slot, size_t most,
                    attn_error *error) {
    const attn_cache_slot *shape = &cache->slot[slot];
    size_t heads = shape->heads ? shape->heads : 1;
    size_t rows = shape->rows ? shape->rows : attn_smaller(cache->length, most);
    size_t at = shape->rows ? 0 : cache->length - rows;
    size_t dims[PEER_TENSOR_RANK] = {cache->batch}, rank = 1;
    char name[PEER_TENSOR_NAME];
    snprintf(name, sizeof name, "%s%s", prefix, shape->name);
    if (shape->heads)
        dims[rank++] = heads;
    dims[rank++] = rows;
    dims[rank++] = shape->width;
    float *to = peer_tensors_new(t, name, rank, dims, error);
    if (!to)
        return -1;
    for (size_t b = 0; b < cache->batch; b++)
        for (size_t head = 0; head < heads; head++, to += rows * shape->width)
            attn_cache_load(to, cache, slot, b, head, at, rows);
    return 0;
}

int peer_tensors_add_cache(peer_tensors *t, const char *prefix, const attn_cache *cache, size_t most,
                           attn_error *error) {
    for (size_t slot = 0; slot < cache->slots; slot++)
        if ((cache->slot[slot].rows || attn_smaller(cache->length, most)) &&
            add_slot(t, prefix, cache, slot, most, error))
            return -1;
    return 0;
}

int peer_tensors_visit(void *context, const attn_tensor *tensor, attn_error *error) {
    return peer_tensors_add(context, tensor->name, tensor->rank, tensor->dims, *tensor->data + tensor->offset,
                            error);
}

void peer_tensors_set_output(peer_tensors *t, size_t rank, const size_t *dims) {
    t->out_rank = rank;
    memcpy(t->out_dims, dims, rank * sizeof *dims);
}

size_t peer_tensors_output_floats(const peer_tensors *t) {
    return product(t->out_rank, t->out_dims);
}

static json_t *case_json(const peer_tensors *t, const bench_case *c) {
    json_t *o = json_pack("{ss ss sI s[]}", "subject", c->subject, "mode", c->mode, "first",
                          (json_int_t)t->first, "out");
    int bad = !o || json_object_set_new(o, "type", json_string(c->variant->name));
    for (size_t i = 0; i < BENCH_FIELDS && !bad; i++) {
        const bench_field *field = &bench_fields[i];
        size_t value = bench_field_get(field, c);
        if (bench_field_applies(field, field->rows | field->results, c))
            bad = json_object_set_new(o, field->key,
                                      field->words ? json_string(field->words[value])
                                                   : json_integer((json_int_t)value));
    }
    for (size_t i = 0; i < t->out_rank && !bad; i++)
        bad = json_array_append_new(json_object_get(o, "out"), json_integer((json_int_t)t->out_dims[i]));
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

static int write_all(FILE *stream, const peer_tensors *t, const char *text, attn_error *error) {
    attn_safetensors_entry *entries = attn_alloc(t->count + 1, sizeof *entries, "tensors for a peer", error);
    if (!entries)
        return -1;
    const size_t length = strlen(text);
    entries[0] = (attn_safetensors_entry){
        .name = "case", .rank = 1, .dims = &length, .data = text, .dtype_name = "U8"};
    for (size_t i = 0; i < t->count; i++)
        entries[i + 1] = (attn_safetensors_entry){.name = t->list[i].name,
                                                  .rank = t->list[i].rank,
                                                  .dims = t->list[i].dims,
                                                  .data = t->list[i].data};
    int result = attn_safetensors_print(stream, "tensors for a peer", entries, t->count + 1, error);
    attn_free(entries);
    if (!result && fflush(stream))
        result = attn_fail(error, "tensors for a peer: %s", strerror(errno));
    return result;
}

int peer_tensors_write(const peer_tensors *t, const bench_case *c, attn_error *error) {
    json_t *o = case_json(t, c);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    int made = memfd_create("case", 0), copy = made < 0 ? -1 : dup(made), result = -1;
    FILE *stream = copy < 0 ? NULL : fdopen(copy, "wb");
    json_decref(o);
    if (!text)
        attn_no_memory(error, c->name);
    else if (!stream)
        attn_fail(error, "tensors for a peer: %s", strerror(errno));
    else
        result = write_all(stream, t, text, error);
    json_free_text(text);
    if (stream)
        fclose(stream);
    else if (copy >= 0)
        close(copy);
    if (!result)
        return made;
    if (made >= 0)
        close(made);
    return -1;
}
