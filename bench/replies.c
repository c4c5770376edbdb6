/* replies - writes the greetings of the benchmark for others: replies RULES FILE, in the form of bench/rules.lua. */

#include <stdio.h>

#include "bench.h"

int main(int argc, char **argv)
{
	struct bench_list rules = { NULL, 0, 0 }, replies = { NULL, 0, 0 };

	if (argc != 3)
		return 2;
	bench_read(&rules, argv[1]);
	bench_greetings(&replies, &rules, 20000, 19, 1);
	FILE *file = fopen(argv[2], "wb");
	if (file == NULL)
		return 1;
	for (size_t i = 0; i < replies.count; i++) {
		size_t length = replies.items[i].length;
		unsigned char size[4] = { length & 0xff, length >> 8 & 0xff, length >> 16 & 0xff, 0 };
		fwrite(size, 1, 4, file);
		fwrite(replies.items[i].bytes, 1, length, file);
		fputc(0, file);
	}
	return fclose(file) != 0;
}
