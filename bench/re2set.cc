/* re2set - RE2::Set as a filter; see bench.h. */

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <vector>

#include "bench.h"

namespace {

struct Filter {
	RE2::Set set;
	std::vector<uint32_t> rules; /* by the set's index */
	std::vector<uint32_t> always; /* what RE2 does not take */
	std::vector<int> found;
	explicit Filter(const RE2::Options &options) : set(options, RE2::UNANCHORED) {}
};

constexpr uint32_t CASELESS = 0x8, DOTALL = 0x20, MULTILINE = 0x400; /* of PCRE2 */

} // namespace

void *bench_re2_open(const bench_list *rules)
{
	RE2::Options options;
	options.set_encoding(RE2::Options::EncodingLatin1);
	options.set_max_mem(int64_t{1} << 30);
	options.set_log_errors(false);
	auto *filter = new Filter(options);
	for (size_t i = 0; i < rules->count; i++) {
		const bench_text &rule = rules->items[i];
		std::string flags;
		flags += rule.options & CASELESS ? "i" : "";
		flags += rule.options & DOTALL ? "s" : "";
		flags += rule.options & MULTILINE ? "m" : "";
		std::string text = (flags.empty() ? "" : "(?" + flags + ")") + std::string(rule.bytes, rule.length), error;
		if (filter->set.Add(text, &error) >= 0)
			filter->rules.push_back(static_cast<uint32_t>(i));
		else
			filter->always.push_back(static_cast<uint32_t>(i));
	}
	filter->set.Compile();
	return filter;
}

size_t bench_re2_find(void *engine, const char *text, size_t length, uint32_t *found, size_t most)
{
	auto *filter = static_cast<Filter *>(engine);
	size_t count = 0;
	for (uint32_t rule : filter->always)
		if (count < most)
			found[count++] = rule;
	filter->set.Match(re2::StringPiece(text, length), &filter->found);
	for (int index : filter->found)
		if (count < most)
			found[count++] = filter->rules[static_cast<size_t>(index)];
	filter->found.clear();
	return count;
}
