/* state.safetensors: tensors of the models under "weights.", "m.", "v." and "average.", and numbers as digits of
 * base 2^16, which float32 holds exactly. */
#include "attn/alloc.h"
#include "attn/safetensors.h"
#include "harness/model/training/trainer.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SAVED = TRAINER_GRADIENT, DIGITS = 4, NUMBERS = 4, NAME = 96 };
static const char *const prefixes[SAVED] = {"weights.", "m.", "v.", "average."};
static const char *const number_names[NUMBERS] = {"identity", "step", "epoch", "averaged"};

static void write_digits(float digits[DIGITS], uint64_t value) {
    for (size_t i = 0; i < DIGITS; i++)
        digits[i] = (float)(value >> (16 * i) & 0xffff);
}

static uint64_t read_digits(const float digits[DIGITS]) {
    uint64_t value = 0;
    for (size_t i = 0; i < DIGITS; i++)
        value |= (uint64_t)digits[i] << (16 * i);
    return value;
}

static void tensor_name(char name[NAME], size_t model, const attn_parameter *p) {
    snprintf(name, NAME, "%s%s", prefixes[model], p->name);
}

int trainer_save(const trainer *t, uint64_t identity, const char *path, attn_error *error) {
    size_t tensors = t->tensors[0].count, count = SAVED * tensors + NUMBERS, used = 0;
    const uint64_t numbers[NUMBERS] = {identity, t->step, t->epoch, t->averaged};
    static const size_t four = DIGITS;
    float digits[NUMBERS][DIGITS];
    attn_safetensors_entry *entries = attn_alloc(count, sizeof *entries, "state", error);
    char(*names)[NAME] = attn_alloc(count, sizeof *names, "state", error);
    int result = -1;
    if (!entries || !names)
        goto done;
    for (size_t i = 0; i < NUMBERS; i++) {
        write_digits(digits[i], numbers[i]);
        entries[used++] =
            (attn_safetensors_entry){.name = number_names[i], .rank = 1, .dims = &four, .data = digits[i]};
    }
    for (size_t m = 0; m < SAVED; m++)
        for (size_t i = 0; i < tensors; i++, used++) {
            const attn_parameter *p = &t->tensors[m].at[i];
            tensor_name(names[used], m, p);
            entries[used] =
                (attn_safetensors_entry){.name = names[used], .rank = 1, .dims = &p->count, .data = p->data};
        }
    result = attn_safetensors_write(path, entries, count, error);
done:
    attn_free(names);
    attn_free(entries);
    return result;
}

static const attn_safetensor *find(const attn_safetensors *file, const char *name, size_t count,
                                   const char *path, attn_error *error) {
    const attn_safetensor *found = attn_safetensors_find(file, name);
    if (found && found->count == count && found->dtype == ATTN_F32)
        return found;
    attn_fail(error, "%s: tensor %s is missing or has another shape: not the state of this training", path,
              name);
    return NULL;
}

static int read_numbers(uint64_t numbers[NUMBERS], const attn_safetensors *file, const char *path,
                        attn_error *error) {
    for (size_t i = 0; i < NUMBERS; i++) {
        float digits[DIGITS];
        const attn_safetensor *found = find(file, number_names[i], DIGITS, path, error);
        if (!found)
            return -1;
        attn_safetensor_floats(found, digits);
        for (size_t d = 0; d < DIGITS; d++)
            if (!(digits[d] >= 0 && digits[d] <= 65535))
                return attn_fail(error, "%s: tensor %s: %g is no digit", path, number_names[i],
                                 (double)digits[d]);
        numbers[i] = read_digits(digits);
    }
    return 0;
}

static int read_models(trainer *t, const attn_safetensors *file, const char *path, attn_error *error) {
    for (size_t m = 0; m < SAVED; m++)
        for (size_t i = 0; i < t->tensors[m].count; i++) {
            char name[NAME];
            const attn_parameter *p = &t->tensors[m].at[i];
            tensor_name(name, m, p);
            const attn_safetensor *found = find(file, name, p->count, path, error);
            if (!found)
                return -1;
            attn_safetensor_floats(found, p->data);
        }
    return 0;
}

int trainer_load(trainer *t, bool *found, uint64_t identity, const char *path, attn_error *error) {
    attn_safetensors *file;
    uint64_t numbers[NUMBERS];
    *found = access(path, F_OK) == 0;
    if (!*found)
        return 0;
    if (attn_safetensors_open(&file, path, error))
        return -1;
    int result = read_numbers(numbers, file, path, error);
    if (!result && numbers[0] != identity)
        result = attn_fail(error,
                           "%s: of another training (configuration, speech, units, weights, seed or epochs "
                           "differ): choose another --out, or remove it",
                           path);
    if (!result)
        result = read_models(t, file, path, error);
    if (!result) {
        t->step = numbers[1];
        t->epoch = (size_t)numbers[2];
        t->averaged = (size_t)numbers[3];
    }
    attn_safetensors_close(file);
    return result;
}
