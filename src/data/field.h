/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field: what a field of a text file holds: a number, nothing, or a text.
 *
 * Threads: any.
 * Layer:   data.
 */
#ifndef SW_DATA_FIELD_H
#define SW_DATA_FIELD_H

#include "base/str.h"

typedef enum sw_field_kind { SW_FIELD_TEXT, SW_FIELD_MISSING, SW_FIELD_NUMBER } sw_field_kind;

/*
 * A number in any of the forms below, true and false as 1 and 0. Reads (and ignores) up to 16 bytes
 * behind the text, as sw_field_decimal does.
 */
sw_field_kind sw_field_read(double *out, sw_str text);

/* Empty, NA, N/A, NaN, null or none, in any case of letters and with blanks around it. */
bool sw_field_is_missing(sw_str text);
/* true is 1 and false 0, in any case of letters. */
bool sw_field_truth(double *out, sw_str text);
/* The form that nearly all have, fast: [-]digits[.digits], at most eight on each side and 15 in
 * all. False where it is anything else. Reads (and ignores) up to 16 bytes behind the text. */
bool sw_field_decimal(double *out, sw_str text);
/* What people write beyond JSON's grammar: " 1", "+1", ".5", "5.", "007", "inf". */
bool sw_field_loose_number(double *out, sw_str text);

#endif /* SW_DATA_FIELD_H */
