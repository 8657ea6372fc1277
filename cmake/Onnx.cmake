# SPDX-License-Identifier: Apache-2.0
# ONNX's ModelProto in C: onnx.proto (Debian package libonnx-dev) through protoc-c (protobuf-c-compiler).
find_program(PROTOC_C protoc-c REQUIRED)
find_path(ONNX_PROTO_FOLDER onnx/onnx.proto REQUIRED)
set(onnx_out ${CMAKE_BINARY_DIR}/onnx_proto)
file(MAKE_DIRECTORY ${onnx_out})
add_custom_command(
    OUTPUT ${onnx_out}/onnx.pb-c.c ${onnx_out}/onnx.pb-c.h
    COMMAND ${PROTOC_C} --proto_path=${ONNX_PROTO_FOLDER}/onnx --c_out=${onnx_out}
            ${ONNX_PROTO_FOLDER}/onnx/onnx.proto
    DEPENDS ${ONNX_PROTO_FOLDER}/onnx/onnx.proto
    VERBATIM)
add_library(onnx_proto STATIC ${onnx_out}/onnx.pb-c.c ${onnx_out}/onnx.pb-c.h)
target_include_directories(onnx_proto SYSTEM PUBLIC ${onnx_out})
target_link_libraries(onnx_proto PUBLIC PkgConfig::libprotobuf_c)
target_compile_options(onnx_proto PRIVATE -w)
