# SPDX-License-Identifier: Apache-2.0
# llhttp, Node's HTTP/1 parser: Debian ships it as C sources (package node-llhttp).
find_path(LLHTTP_SOURCES api.c PATHS /usr/share/llhttp REQUIRED NO_DEFAULT_PATH)
find_path(LLHTTP_HEADER llhttp.h PATHS /usr/share/include/llhttp /usr/share/llhttp REQUIRED NO_DEFAULT_PATH)
file(GLOB llhttp_files ${LLHTTP_SOURCES}/*.c)
add_library(llhttp STATIC ${llhttp_files})
target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_HEADER})
target_compile_definitions(llhttp PRIVATE LLHTTP_STRICT_MODE=1) # refuses what smuggling is made of
target_compile_options(llhttp PRIVATE -O2 -w)
