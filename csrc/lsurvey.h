/* lsurvey - survey as Lua sees it. */
#ifndef DEEPID_LSURVEY_H
#define DEEPID_LSURVEY_H

#include "compat.h"

/* Registers the metatable "deepid.survey". */
void l_survey_register(lua_State *L);

/* core.survey(options) -> survey; see DESIGN.md, "The survey". */
int l_survey_new(lua_State *L);

/* The survey at an index, which must be open. */
struct survey *l_survey_check(lua_State *L, int index);

#endif
