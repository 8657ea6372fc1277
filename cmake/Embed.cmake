# SPDX-License-Identifier: Apache-2.0
# Files as bytes within the binary (see src/base/embedded.h).

# SYMBOL: the table's name; MANIFEST: lines of "name<TAB>content type<TAB>file<TAB>gzip file or nothing".
function(sw_embed_table target symbol manifest)
    set(out ${CMAKE_BINARY_DIR}/embedded/${symbol}.c)
    add_custom_command(
        OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DSYMBOL=${symbol} -DMANIFEST=${manifest} -DOUT=${out}
                -P ${CMAKE_SOURCE_DIR}/cmake/embed_table.cmake
        DEPENDS ${manifest} ${CMAKE_SOURCE_DIR}/cmake/embed_table.cmake ${ARGN}
        VERBATIM)
    target_sources(${target} PRIVATE ${out})
    # Its symbols are defined by assembly, which link-time optimization does not see.
    set_source_files_properties(${out} PROPERTIES COMPILE_OPTIONS -fno-lto)
endfunction()

function(sw_embed_dashboard target)
    file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/web/src/* ${CMAKE_SOURCE_DIR}/web/*.json
        ${CMAKE_SOURCE_DIR}/web/*.mjs)
    list(FILTER web_sources EXCLUDE REGEX "/node_modules/")
    set(manifest ${CMAKE_BINARY_DIR}/web/manifest.txt)
    add_custom_command(
        OUTPUT ${manifest}
        COMMAND ${CMAKE_SOURCE_DIR}/scripts/npm_ci.sh ${CMAKE_SOURCE_DIR}/web
        COMMAND npm --prefix ${CMAKE_SOURCE_DIR}/web run --silent build -- --outdir ${CMAKE_BINARY_DIR}/web
        DEPENDS ${web_sources}
        COMMENT "Bundling the dashboard"
        VERBATIM)
    sw_embed_table(${target} sw_dashboard_files ${manifest})
endfunction()

function(sw_embed_nothing target)
    file(WRITE ${CMAKE_BINARY_DIR}/embedded/none.txt "")
    sw_embed_table(${target} sw_dashboard_files ${CMAKE_BINARY_DIR}/embedded/none.txt)
endfunction()

# Every file of a folder, by its base name.
function(sw_embed_files target symbol folder)
    file(GLOB files CONFIGURE_DEPENDS ${folder}/*.onnx ${folder}/*.csv ${folder}/*.json)
    set(lines "")
    foreach(file ${files})
        get_filename_component(name ${file} NAME)
        string(APPEND lines "${name}\tapplication/octet-stream\t${file}\t\n")
    endforeach()
    set(manifest ${CMAKE_BINARY_DIR}/embedded/${symbol}.txt)
    file(CONFIGURE OUTPUT ${manifest} CONTENT "${lines}" @ONLY)
    sw_embed_table(${target} ${symbol} ${manifest} ${files})
endfunction()
