# SPDX-License-Identifier: Apache-2.0
# Writes the C file of one table of embedded files: cmake -DSYMBOL= -DMANIFEST= -DOUT= -P embed_table.cmake
cmake_minimum_required(VERSION 3.22)
file(STRINGS ${MANIFEST} lines)
get_filename_component(folder ${MANIFEST} DIRECTORY)
set(bytes "")
set(rows "")
set(count 0)

function(emit index suffix file)
    set(bytes "${bytes}BYTES(${SYMBOL}_${index}${suffix}, \"${file}\")\n" PARENT_SCOPE)
endfunction()

foreach(line ${lines})
    string(REPLACE "\t" ";" cells "${line}")
    list(LENGTH cells width)
    list(GET cells 0 name)
    list(GET cells 1 type)
    list(GET cells 2 file)
    set(gzip "")
    if(width GREATER 3)
        list(GET cells 3 gzip)
    endif()
    get_filename_component(file ${file} ABSOLUTE BASE_DIR ${folder})
    emit(${count} "" ${file})
    set(gzip_row "{0, 0}")
    if(gzip)
        get_filename_component(gzip ${gzip} ABSOLUTE BASE_DIR ${folder})
        emit(${count} _gz ${gzip})
        set(gzip_row "SLICE(${SYMBOL}_${count}_gz)")
    endif()
    string(APPEND rows "    ROW(\"${name}\", \"${type}\", ${SYMBOL}_${count}, ${gzip_row})\n")
    math(EXPR count "${count} + 1")
endforeach()

file(WRITE ${OUT} "/* Made by cmake/embed_table.cmake. */
#include \"base/embedded.h\"

#define BYTES(name, file) \\
    __asm__(\".section .rodata\\n.balign 16\\n\" #name \":\\n.incbin \\\"\" file \"\\\"\\n\" #name \"_end:\\n.byte 0\\n.previous\"); \\
    extern const char name[], name##_end[];
#define SLICE(name) {name, name##_end}
#define ROW(path, type, name, ...) {path, type, SLICE(name), __VA_ARGS__},

${bytes}
const sw_embedded ${SYMBOL}[] = {
${rows}    {0, 0, {0, 0}, {0, 0}}};
")
