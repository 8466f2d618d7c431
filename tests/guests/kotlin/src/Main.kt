// A program that answers by CGI: it sorts the words of the query by their length, and refuses what is no word.

@file:OptIn(ExperimentalWasmInterop::class, UnsafeWasmMemoryApi::class)

import kotlin.wasm.ExperimentalWasmInterop
import kotlin.wasm.WasmImport
import kotlin.wasm.unsafe.UnsafeWasmMemoryApi
import kotlin.wasm.unsafe.withScopedMemoryAllocator

@WasmImport("wasi_snapshot_preview1", "environ_sizes_get")
private external fun environSizesGet(count: Int, bytes: Int): Int

@WasmImport("wasi_snapshot_preview1", "environ_get")
private external fun environGet(pointers: Int, text: Int): Int

private class NoWord(val word: String) : Exception("$word is no word")

private data class Word(val text: String, val place: Int)

/** The environment, which the standard library does not read on WASI. */
private fun environment(): Map<String, String> = withScopedMemoryAllocator { allocator ->
    val sizes = allocator.allocate(8)
    check(environSizesGet(sizes.address.toInt(), sizes.address.toInt() + 4) == 0)
    val (count, length) = sizes.loadInt() to (sizes + 4).loadInt()
    val (pointers, text) = allocator.allocate(4 * count) to allocator.allocate(length)
    check(environGet(pointers.address.toInt(), text.address.toInt()) == 0)
    val bytes = ByteArray(length) { (text + it).loadByte() }
    bytes.decodeToString().split('\u0000').filter { '=' in it }.associate { it.substringBefore('=') to it.substringAfter('=') }
}

private fun words(query: String): List<Word> = query.split('+').mapIndexed { place, text ->
    if (text.isEmpty() || !text.all { it.isLetter() }) throw NoWord(text)
    Word(text, place)
}

fun main() {
    val query = environment()["QUERY_STRING"].orEmpty()
    try {
        val sorted = words(query).sortedWith(compareBy({ it.text.length }, { it.text }))
        println("Content-Type: text/plain\n")
        sorted.forEach { println("${it.text} was ${it.place}") }
    } catch (refused: NoWord) {
        println("Status: 422 Unprocessable Content\nContent-Type: text/plain\n")
        println(refused.message)
    }
}
