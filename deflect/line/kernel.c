/* Scores tickets in one walk over their bytes: what `Scorer` in scorer.py does with NumPy, array by array.
 *
 * Python defines what is computed: words in text.py, hashes in hashing.py, n-grams in grams.py, margins in scorer.py.
 * This file repeats it, in the same order, so that the answers are the same to the last bit; tests/line/test_kernel.py
 * holds it to that. It keeps no state, so that threads may call it at once, and trusts no number of a bundle: each row
 * is below the table's end, whatever the slots say.
 *
 * A ticket is read in steps over its words: hash them, find their slots, read the slots, add the rows. Each step asks
 * the memory for what the next one reads, so that many look-ups wait at once. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Raised by one with every change of `struct model`, of a function's parameters or of what it answers; also in
 * kernel.py. */
#define VERSION 4

/* As in text.py, hashing.py and grams.py. */
#define EDGE 1
#define BASE UINT64_C(0x9E3779B97F4A7C15)
#define MIX UINT64_C(0xD6E8FEB86659FD93)
#define LEFT UINT64_C(0xA24BAED4963EE407)
#define SHORTEST_GRAM 2
#define LONGEST_GRAM 5
#define MAX_BYTES 64

/* The edge before a word, its characters, the edge behind it, and where that ends. */
#define MAX_BORDERS (MAX_BYTES + 3)
#define MAX_GRAMS ((LONGEST_GRAM - SHORTEST_GRAM + 1) * MAX_BORDERS)
#define CACHE_LINE 64
/* So many bytes of a row are asked for beforehand; by then the processor has seen where it goes on. */
#define MAX_AHEAD (6 * CACHE_LINE)

/* Four numbers that are added at once. */
typedef float floats __attribute__((vector_size(16)));

/* hashing.SlotTable. */
struct slot_table {
    const uint64_t *slots;
    const uint8_t *seeds;
    uint64_t slot_shift, seed_shift;
    uint64_t absent; /* The row of a hash that was never put in. */
};

/* scorer.Scorer. */
struct model {
    struct slot_table words; /* Words and pairs. */
    struct slot_table grams;
    const float *table;         /* (words.absent + 1, n_categories) */
    const float *squares;       /* (words.absent + 2,); negative for what training never saw. */
    const uint16_t *gram_table; /* (grams.absent + 1, n_categories), in half precision. */
    const float *intercept;     /* (n_categories,) */
    const uint8_t *bytes;       /* (256,): a byte to its lower-cased word character, or to EDGE. */
    const float *halves;        /* (65536,): what each number of half precision is. */
    const float *damped;        /* (n_damped,): what a row counts that stands so many times in a ticket. */
    uint64_t n_damped, n_categories;
};

/* As in phrases.py: what stands before and behind a ticket. */
#define BEFORE UINT64_C(0x6A09E667F3BCC909)
#define BEHIND UINT64_C(0xBB67AE8584CAA73B)

/* A word of a ticket: text[start:end]. Before the first and behind the last stands one more, without text. */
struct word {
    uint64_t hash;
    uint64_t place;      /* Its slot; of the one before or behind, that of the first or last three. */
    uint64_t pair_place; /* That of its pair with the next word. */
    uint32_t start, end;
};

/* One of a ticket's different words and known pairs, beginnings and ends. */
struct term {
    uint64_t key;     /* Its row, or for a word that has none its hash with the highest bit set. */
    const float *row; /* There in the table; zeros for a word that has none. */
    uint32_t count;   /* How often it stands in the ticket. */
    float factor;     /* What it counts for that. */
    uint32_t word;    /* Where it stands last. */
};

#define NO_ROW (UINT64_C(1) << 63)

/* Room for the longest ticket of a call. */
struct room {
    struct word *words;
    struct term *terms;
    uint32_t *heads; /* A hash table of the terms: 1 + the number of a term, or 0. */
    float *part;     /* The row of an unseen word, and behind it the sum of these, (2, n_categories). */
};

/* ---- hashing.py ---- */

static inline uint64_t mix(uint64_t hash)
{
    return ((hash >> 32) ^ hash) * MIX;
}

static inline uint64_t pair(uint64_t left, uint64_t right)
{
    return left * LEFT + right;
}

static inline uint64_t place_of(const struct slot_table *table, uint64_t hash)
{
    uint64_t spread = table->seeds[hash >> table->seed_shift] * BASE;
    return ((hash ^ spread) * MIX) >> table->slot_shift;
}

static inline uint64_t row_at(const struct slot_table *table, uint64_t place, uint64_t hash)
{
    uint64_t row = table->slots[place] ^ (hash << 32);
    return row < table->absent ? row : table->absent;
}

static inline void expect(const void *row, size_t n_bytes)
{
    for (size_t i = 0; i < n_bytes && i < MAX_AHEAD; i += CACHE_LINE)
        __builtin_prefetch((const char *)row + i);
}

/* ---- text.py ---- */

/* Finds and hashes the words of a ticket; text[n] is an edge. Returns how many there are. */
static size_t find_words(const struct model *model, const uint8_t *text, size_t n, struct word *words)
{
    const uint8_t *bytes = model->bytes;
    size_t n_words = 0;
    for (size_t i = 0; i < n; i++) {
        if (bytes[text[i]] == EDGE)
            continue;
        struct word *word = &words[n_words++];
        uint64_t hash = 0, power = 1;
        word->start = (uint32_t)i;
        for (uint8_t byte; (byte = bytes[text[i]]) != EDGE; i++) {
            hash += byte * power;
            power *= BASE;
        }
        word->end = (uint32_t)i;
        word->hash = mix(hash);
        __builtin_prefetch(&model->words.seeds[word->hash >> model->words.seed_shift]);
    }
    return n_words;
}

/* ---- grams.py ---- */

/* Finds where the characters of a word begin, its edges counted, and behind them where the last ends. A byte 10xxxxxx
 * continues the character before it. Returns the number of characters. */
static size_t find_characters(const uint8_t *text, size_t n, const struct word *word, const uint8_t **borders)
{
    const uint8_t *at = text + word->start, *end = text + word->end;
    size_t n_borders = 0, n_behind = 0;
    if (end > at + MAX_BYTES)
        end = at + MAX_BYTES;
    borders[n_borders++] = at - 1;
    for (; n_behind < 2; at++) {
        if (at < text + n && (*at & 0xC0) == 0x80)
            continue;
        borders[n_borders++] = at;
        n_behind += at >= end;
    }
    return n_borders - 1;
}

/* Hashes the n-grams of a word. Returns how many there are. */
static size_t hash_grams(const struct model *model, const uint8_t *text, size_t n, const struct word *word,
                         uint64_t *hashes)
{
    const uint8_t *borders[MAX_BORDERS];
    size_t n_grams = 0, n_characters = find_characters(text, n, word, borders);
    for (size_t first = 0; first + SHORTEST_GRAM <= n_characters; first++) {
        uint64_t hash = 0, power = 1;
        const uint8_t *at = borders[first];
        for (size_t last = first + 1; last <= first + LONGEST_GRAM && last <= n_characters; last++) {
            for (; at < borders[last]; at++) {
                hash += model->bytes[*at] * power;
                power *= BASE;
            }
            if (last >= first + SHORTEST_GRAM)
                hashes[n_grams++] = mix(hash);
        }
    }
    return n_grams;
}

/* ---- scorer.py ---- */

/* Puts the row of an unseen word together from its n-grams. */
static void sum_grams(const struct model *model, const uint8_t *text, size_t n, const struct word *word, float *sums)
{
    uint64_t hashes[MAX_GRAMS], places[MAX_GRAMS];
    const struct slot_table *grams = &model->grams;
    size_t k = model->n_categories, n_grams = hash_grams(model, text, n, word, hashes);
    float share = (float)(1 / sqrt(n_grams ? (double)n_grams : 1));
    for (size_t i = 0; i < n_grams; i++) {
        places[i] = place_of(grams, hashes[i]);
        __builtin_prefetch(&grams->slots[places[i]]);
    }
    for (size_t i = 0; i < n_grams; i++) {
        places[i] = row_at(grams, places[i], hashes[i]); /* Now the row. */
        expect(model->gram_table + places[i] * k, k * sizeof(uint16_t));
    }
    memset(sums, 0, k * sizeof(float));
    for (size_t i = 0; i < n_grams; i++) {
        const uint16_t *row = model->gram_table + places[i] * k;
        if (places[i] != grams->absent)
            for (size_t c = 0; c < k; c++)
                sums[c] += model->halves[row[c]];
    }
    for (size_t c = 0; c < k; c++)
        sums[c] *= share;
}

/* Returns the hash of three words. */
static inline uint64_t three(const struct word *first)
{
    return pair(pair(first[0].hash, first[1].hash), first[2].hash);
}

/* Puts a word before the first and one behind the last, and finds the slot of whatever stands in a ticket. */
static void find_places(const struct slot_table *table, struct word *words, size_t n_words)
{
    struct word *before = words, *behind = words + n_words + 1;
    if (!n_words)
        return;
    before->hash = BEFORE;
    behind->hash = BEHIND;
    for (struct word *word = before; word < behind; word++) {
        word->place = place_of(table, word == before ? three(before) : word->hash);
        __builtin_prefetch(&table->slots[word->place]);
        word->pair_place = place_of(table, pair(word[0].hash, word[1].hash));
        __builtin_prefetch(&table->slots[word->pair_place]);
    }
    behind->place = place_of(table, three(behind - 2));
    __builtin_prefetch(&table->slots[behind->place]);
}

/* Counts one more of a key. Returns how many different keys there are now. */
static inline size_t count_term(const struct room *room, size_t n_terms, unsigned shift, uint64_t key, uint32_t word)
{
    uint64_t mask = (UINT64_C(1) << (64 - shift)) - 1;
    for (uint64_t slot = (key * BASE) >> shift;; slot = (slot + 1) & mask) {
        uint32_t head = room->heads[slot];
        if (!head) {
            room->terms[n_terms] = (struct term){.key = key, .count = 1, .word = word};
            room->heads[slot] = (uint32_t)n_terms + 1;
            return n_terms + 1;
        }
        if (room->terms[head - 1].key == key) {
            room->terms[head - 1].count++;
            return n_terms;
        }
    }
}

/* Returns the row of what hashes to a number, and asks for what will be read of it. */
static inline uint64_t expected_row(const struct model *model, uint64_t place, uint64_t hash)
{
    uint64_t row = row_at(&model->words, place, hash);
    __builtin_prefetch(&model->squares[row]);
    expect(model->table + row * model->n_categories, model->n_categories * sizeof(float));
    return row;
}

/* Counts the different words and whatever else is known of a ticket, from its end to its beginning, so that they come
 * in the order in which NumPy adds them, from the last to the first. Returns how many there are. */
static size_t count_terms(const struct model *model, const struct room *room, size_t n_words)
{
    uint64_t absent = model->words.absent, row = absent;
    size_t n_terms = 0;
    unsigned bits = 3;
    if (!n_words)
        return 0;
    while ((UINT64_C(1) << bits) < 3 * (n_words + 2))
        bits++;
    memset(room->heads, 0, sizeof *room->heads << bits);
    const struct word *words = room->words;
    if (n_words > 1)
        row = expected_row(model, words[n_words + 1].place, three(&words[n_words - 1]));
    if (row < absent)
        n_terms = count_term(room, n_terms, 64 - bits, row, (uint32_t)n_words + 1);
    for (size_t i = n_words + 1; i--;) {
        const struct word *word = &words[i];
        row = expected_row(model, word->pair_place, pair(word[0].hash, word[1].hash));
        if (row < absent)
            n_terms = count_term(room, n_terms, 64 - bits, row, (uint32_t)i);
        if (!i)
            break;
        row = expected_row(model, word->place, word->hash);
        n_terms = count_term(room, n_terms, 64 - bits, row < absent ? row : word->hash | NO_ROW, (uint32_t)i);
    }
    row = n_words > 1 ? expected_row(model, words->place, three(words)) : absent;
    if (row < absent)
        n_terms = count_term(room, n_terms, 64 - bits, row, 0);
    return n_terms;
}

/* What the different terms of a ticket add to its squared norm, all of them and those never seen, and how often all
 * of them stand in it. */
struct squares {
    double all, unseen;
    uint64_t n_places;
};

/* Returns how much of a ticket training never saw. */
static float novelty_of(struct squares squares, size_t n_words)
{
    double known = (double)(squares.n_places - n_words + 1) / (double)(n_words + (n_words > 1 ? 4 : 2));
    return (float)(1 - (1 - squares.unseen / squares.all) * sqrt(known));
}

/* Finds the factor and the row of each term, and adds up their squares. */
static struct squares weigh_terms(const struct model *model, struct term *terms, size_t n_terms)
{
    struct squares squares = {0, 0, 0};
    uint64_t absent = model->words.absent;
    for (size_t i = n_terms; i--;) {
        struct term *term = &terms[i];
        uint64_t row = term->key < absent ? term->key : absent;
        float square = model->squares[term->key < absent ? row : absent + 1];
        term->row = model->table + row * model->n_categories;
        term->factor = model->damped[term->count < model->n_damped ? term->count : model->n_damped - 1];
        float own = fabsf(square) * term->factor * term->factor;
        squares.all += own;
        squares.n_places += term->count;
        squares.unseen += square < 0 ? own : 0;
    }
    return squares;
}

/* Adds up some columns of the rows, from column c on: 4 for each of n_vectors, whose sums stay in registers. */
static inline __attribute__((always_inline)) void add_columns(const struct term *terms, size_t n_terms, size_t c,
                                                              const size_t n_vectors, float *out)
{
    floats sums[8] = {{0}}, row;
    for (size_t i = n_terms; i--;) {
        const float *from = terms[i].row + c;
#pragma GCC unroll 8
        for (size_t j = 0; j < n_vectors; j++) {
            memcpy(&row, from + 4 * j, sizeof row);
            sums[j] += terms[i].factor * row;
        }
    }
    memcpy(out + c, sums, n_vectors * sizeof(floats));
}

/* Adds up the rows. */
static void add_rows(const struct term *terms, size_t n_terms, size_t k, float *out)
{
    size_t c = 0;
    for (; c + 32 <= k; c += 32)
        add_columns(terms, n_terms, c, 8, out);
    for (; c + 8 <= k; c += 8)
        add_columns(terms, n_terms, c, 2, out);
    for (; c + 4 <= k; c += 4)
        add_columns(terms, n_terms, c, 1, out);
    for (; c < k; c++) {
        out[c] = 0;
        for (size_t i = n_terms; i--;)
            out[c] += terms[i].factor * terms[i].row[c];
    }
}

/* Scores one ticket; text[-1] and text[n] are edges. */
static void score_ticket(const struct model *model, const struct room *room, const uint8_t *text, size_t n,
                         float *restrict margins, float *novelty)
{
    size_t k = model->n_categories, n_words = find_words(model, text, n, room->words + 1);
    find_places(&model->words, room->words, n_words);
    size_t n_terms = count_terms(model, room, n_words);
    struct squares squares = weigh_terms(model, room->terms, n_terms);
    add_rows(room->terms, n_terms, k, margins);
    float *rest = memset(room->part + k, 0, k * sizeof(float));
    for (size_t i = n_terms; i--;) {
        if (room->terms[i].key < model->words.absent)
            continue;
        sum_grams(model, text, n, &room->words[room->terms[i].word], room->part);
        for (size_t c = 0; c < k; c++)
            rest[c] += room->terms[i].factor * room->part[c];
    }
    float norm = n_terms ? sqrtf((float)squares.all) : 1;
    for (size_t c = 0; c < k; c++)
        margins[c] = (margins[c] + rest[c]) / norm + model->intercept[c];
    *novelty = n_terms ? novelty_of(squares, n_words) : 0;
}

/* ---- What kernel.py calls ---- */

/* Returns how many bytes the longest ticket has; raw[n_bytes - 1] is a NUL. */
static size_t longest(const uint8_t *raw, size_t n_bytes)
{
    size_t n, most = 0;
    for (const uint8_t *start = raw; start < raw + n_bytes; start += n + 1) {
        n = (size_t)((const uint8_t *)memchr(start, 0, (size_t)(raw + n_bytes - start)) - start);
        most = n > most ? n : most;
    }
    return most;
}

int deflect_kernel_version(void)
{
    return VERSION;
}

/* Scores the tickets of a buffer, which has a NUL before, between and behind them. Returns 0, or 1 where there is no
 * memory, or not so many tickets. */
int deflect_kernel_score(const struct model *model, const uint8_t *raw, size_t n_bytes, size_t n_tickets,
                         float *margins, float *novelty)
{
    if (n_bytes < 2 || raw[0] || raw[n_bytes - 1])
        return 1;
    size_t n_words = longest(raw, n_bytes) / 2 + 1;
    struct room room = {
        .words = malloc((n_words + 2) * sizeof *room.words),
        .terms = malloc((2 * n_words + 3) * sizeof *room.terms),
        .heads = malloc((6 * n_words + 20) * sizeof *room.heads), /* See count_terms. */
        .part = malloc((2 * model->n_categories + 1) * sizeof *room.part),
    };
    size_t has_room = room.words && room.terms && room.heads && room.part, i = 0;
    for (const uint8_t *start = raw + 1, *end = raw + n_bytes; has_room && i < n_tickets && start < end; i++) {
        const uint8_t *stop = memchr(start, 0, (size_t)(end - start));
        score_ticket(model, &room, start, (size_t)(stop - start), margins + i * model->n_categories, novelty + i);
        start = stop + 1;
    }
    free(room.words);
    free(room.terms);
    free(room.heads);
    free(room.part);
    return i < n_tickets;
}
