/*
 * lint.h
 *		What cppcheck must know of PostgreSQL's macros, since it does not
 *		follow postgres.h.
 */
#define PG_VERSION_NUM 150000
#define PG_MODULE_MAGIC
#define PG_FUNCTION_ARGS FunctionCallInfo fcinfo
#define PG_FUNCTION_INFO_V1(f) Datum f(PG_FUNCTION_ARGS)
#define PGDLLEXPORT
#define PG_USED_FOR_ASSERTS_ONLY
#define FLEXIBLE_ARRAY_MEMBER
#define pg_attribute_noreturn() __attribute__((noreturn))
#define pg_attribute_printf(f, a)
#define pg_noinline
#define pg_unreachable() abort()
#define Assert(condition) ((void) 0)

/* An error does not return. */
#define DEBUG1 14
#define LOG 15
#define INFO 17
#define NOTICE 18
#define WARNING 19
#define ERROR 21
#define FATAL 22
#define PANIC 23
#define ereport(level, ...) \
	do { (void) (__VA_ARGS__); if ((level) >= ERROR) abort(); } while (0)
#define elog(level, ...) \
	do { errmsg_internal(__VA_ARGS__); if ((level) >= ERROR) abort(); } while (0)

#define PG_TRY() if (1) {
#define PG_CATCH() } else {
#define PG_FINALLY() } if (1) {
#define PG_END_TRY() }
#define PG_RE_THROW() abort()

#define foreach(cell, list) \
	for (ListCell *cell##_at = list_head(list); (cell = cell##_at) != NULL; \
		 cell##_at = lnext(list, cell##_at))
#define dlist_foreach(iter, head) \
	for ((iter).cur = dlist_head_node(head); (iter).cur; (iter).cur = (iter).cur->next)
#define dlist_foreach_modify(iter, head) dlist_foreach(iter, head)
#define slist_foreach(iter, head) dlist_foreach(iter, head)
#define slist_foreach_modify(iter, head) dlist_foreach(iter, head)
