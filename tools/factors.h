/*
 * factors.h - what a person has proven, in words: "password otp".
 */
#ifndef ISMS_FACTORS_H
#define ISMS_FACTORS_H

#include <jansson.h>
#include <stdint.h>

/* Words separated by commas or blanks, or "none". Returns 0, or -EINVAL for a word that is none. */
int factors_parse(const char *list, uint32_t *ret);

/* An array of the words. */
json_t *factors_json(uint32_t factors);

#endif
