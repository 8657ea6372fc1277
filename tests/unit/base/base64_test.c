/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"
#include "unit/test.h"

static void check_decoded(const char *text, const char *wanted) {
    char bytes[64];
    size_t len;
    REQUIRE(sw_base64_decode(bytes, &len, sizeof bytes, sw_str_of(text)));
    CHECK_STR(((sw_str){bytes, len}), wanted);
}

/* RFC 4648, section 10 */
TEST(base64__decodes_the_test_vectors) {
    const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    const char *const coded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    for (int i = 0; i < 7; i++)
        check_decoded(coded[i], plain[i]);
}

TEST(base64__refuses_what_is_no_base64) {
    char bytes[64];
    size_t len;
    const char *const wrong[] = {"Z", "Zg=", "Zg", "Zm9v!A==", "=Zg=", "Zh==", "Z===", "Zm9-"};
    for (int i = 0; i < 8; i++)
        CHECK(!sw_base64_decode(bytes, &len, sizeof bytes, sw_str_of(wrong[i])));
    CHECK(!sw_base64_decode(bytes, &len, 2, SW_STR("Zm9v")));
}

TEST(base64url__encodes_without_padding) {
    char text[SW_BASE64URL_ROOM(6)];
    const char *const plain[] = {"", "f", "fo", "foo", "foob", "fooba", "foobar"};
    const char *const coded[] = {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};
    for (int i = 0; i < 7; i++) {
        sw_base64url_encode(text, plain[i], strlen(plain[i]));
        CHECK_TEXT(text, coded[i]);
    }
    sw_base64url_encode(text, "\xfb\xff\xfe", 3);
    CHECK_TEXT(text, "-__-");
}

TEST_MAIN
