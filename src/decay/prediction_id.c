/* SPDX-License-Identifier: Apache-2.0 */
#include "decay/prediction_id.h"

#include "io/file.h"

sw_status sw_id_maker_init(sw_id_maker *out, sw_error *error) {
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint8_t chance[SW_PREDICTION_ID_CHANCE];
    SW_TRY(sw_file_random(chance, sizeof chance, error));
    memset(out->next, '0', sizeof out->next);
    for (size_t i = 0; i < sizeof chance; i++)
        out->next[i] = digits[chance[i] % 32];
    return SW_OK;
}
