/*
 * compat.h
 *		Every difference between PostgreSQL 13 to 18, and between versions of
 *		libcurl, that resolute has to know about.
 */
#ifndef RESOLUTE_COMPAT_H
#define RESOLUTE_COMPAT_H

#if PG_VERSION_NUM < 130000
#error "resolute needs PostgreSQL 13 or later"
#endif

/* 15 renamed EmitWarningsOnPlaceholders. */
#if PG_VERSION_NUM < 150000
#define MarkGUCPrefixReserved(prefix) EmitWarningsOnPlaceholders(prefix)
#endif

/* 14 passes the resource owner itself. */
#if PG_VERSION_NUM < 140000
#define ReleaseCachedPlanCompat(plan) ReleaseCachedPlan(plan, true)
#else
#define ReleaseCachedPlanCompat(plan) ReleaseCachedPlan(plan, CurrentResourceOwner)
#endif

/* 16 took VARSIZE() and its like out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* 18 moved wait event sets to a header of their own. */
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif

/*
 * Vectors of bytes: 16 has port/simd.h, 17 its vector8_highbit_mask.  Before 16
 * we bring the few operations that we use ourselves, for x86-64 only.
 */
#if PG_VERSION_NUM >= 160000
#include "port/simd.h"
#elif defined(__x86_64__) || defined(_M_AMD64)
#include <emmintrin.h>
#define USE_SSE2
typedef __m128i Vector8;

#define vector8_load(v, s) (*(v) = _mm_loadu_si128((const __m128i *) (s)))
#define vector8_broadcast(c) _mm_set1_epi8((char) (c))
#define vector8_or(a, b) _mm_or_si128((a), (b))
#define vector8_eq(a, b) _mm_cmpeq_epi8((a), (b))
#define vector8_is_highbit_set(v) (_mm_movemask_epi8(v) != 0)
#define vector8_has(v, c) \
	(_mm_movemask_epi8(_mm_cmpeq_epi8((v), _mm_set1_epi8((char) (c)))) != 0)
#define vector8_has_le(v, c) \
	vector8_has(_mm_subs_epu8((v), _mm_set1_epi8((char) (c))), 0)
#else
#define USE_NO_SIMD
#endif

#if PG_VERSION_NUM < 170000 && defined(USE_SSE2)
#define vector8_highbit_mask(v) ((uint32) _mm_movemask_epi8(v))
#elif PG_VERSION_NUM < 170000 && defined(USE_NEON)
static inline uint32
vector8_highbit_mask(const Vector8 v)
{
	static const uint8 bits[16] = {
		1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128
	};
	uint8x16_t	set = vandq_u8(vld1q_u8(bits),
							   (uint8x16_t) vshrq_n_s8((int8x16_t) v, 7));

	return (uint32) vaddv_u8(vget_low_u8(set)) |
		(uint32) vaddv_u8(vget_high_u8(set)) << 8;
}
#endif

/* 18 has pg_noreturn, which stands before the declaration, instead. */
#ifndef pg_attribute_noreturn
#define pg_attribute_noreturn() __attribute__((noreturn))
#endif

/* A wait event set that outlives transactions; 17 ties them to resource owners. */
#if PG_VERSION_NUM >= 170000
#define create_session_wait_event_set(nevents) CreateWaitEventSet(NULL, (nevents))
#else
#define create_session_wait_event_set(nevents) CreateWaitEventSet(TopMemoryContext, (nevents))
#endif

/* 17 lets extensions name their wait events. */
#if PG_VERSION_NUM >= 170000
#define new_wait_event(name) WaitEventExtensionNew(name)
#else
#define new_wait_event(name) PG_WAIT_EXTENSION
#endif

/* 16 has one function for the privileges on every kind of object. */
#if PG_VERSION_NUM >= 160000
#define foreign_server_aclcheck(server, role, mode) \
	object_aclcheck(ForeignServerRelationId, (server), (role), (mode))
#else
#define foreign_server_aclcheck(server, role, mode) \
	pg_foreign_server_aclcheck((server), (role), (mode))
#endif

/* 16 has the date parser say more about what was wrong. */
#if PG_VERSION_NUM >= 160000
#define decode_date_time(field, type, n, kind, tm, fsec, tz) \
	DecodeDateTime((field), (type), (n), (kind), (tm), (fsec), (tz), &(DateTimeErrorExtra) {0})
#else
#define decode_date_time(field, type, n, kind, tm, fsec, tz) \
	DecodeDateTime((field), (type), (n), (kind), (tm), (fsec), (tz))
#endif

/* 16 made reading of names soft. */
#if PG_VERSION_NUM >= 160000
#define qualified_name_list(text) stringToQualifiedNameList(text, NULL)
#else
#define qualified_name_list(text) stringToQualifiedNameList(text)
#endif

/* 15 has a function that sets up a materialised result; its first release named it otherwise. */
#if PG_VERSION_NUM == 150000
#define InitMaterializedSRF(fcinfo, flags) SetSingleFuncCall(fcinfo, flags)
#elif PG_VERSION_NUM < 150000
#include "funcapi.h"
#include "miscadmin.h"

static inline void
InitMaterializedSRF(FunctionCallInfo fcinfo, int flags)
{
	ReturnSetInfo *info = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext old;

	(void) flags;
	if (info == NULL || !IsA(info, ReturnSetInfo) || !(info->allowedModes & SFRM_Materialize))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-valued function called in context that cannot accept a set")));
	old = MemoryContextSwitchTo(info->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &info->setDesc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	info->returnMode = SFRM_Materialize;
	info->setResult = tuplestore_begin_heap((info->allowedModes & SFRM_Materialize_Random) != 0,
											false, work_mem);
	MemoryContextSwitchTo(old);
}
#endif

/* 15 cleans up after a commit that failed, and starts the next transaction. */
#if PG_VERSION_NUM >= 150000
#define recover_failed_commit() ((void) 0)
#else
#define recover_failed_commit() (SPI_rollback(), SPI_start_transaction())
#endif

/* 16 tells apart indexes that only summarize, 14 names the relation. */
#if PG_VERSION_NUM >= 160000
#define insert_index_tuples(relation, slot, estate) \
	ExecInsertIndexTuples((relation), (slot), (estate), false, false, NULL, NIL, false)
#elif PG_VERSION_NUM >= 140000
#define insert_index_tuples(relation, slot, estate) \
	ExecInsertIndexTuples((relation), (slot), (estate), false, false, NULL, NIL)
#else
#define insert_index_tuples(relation, slot, estate) \
	((estate)->es_result_relation_info = (relation), \
	 ExecInsertIndexTuples((slot), (estate), false, NULL, NIL))
#endif

/* 16 took permissions out of range table entries. */
#if PG_VERSION_NUM >= 160000
#define check_insert_rights(rte, columns) \
	do { \
		List	   *infos_ = NIL; \
		RTEPermissionInfo *info_ = addRTEPermissionInfo(&infos_, (rte)); \
		info_->requiredPerms = ACL_INSERT; \
		info_->insertedCols = (columns); \
		(void) ExecCheckPermissions(list_make1(rte), infos_, true); \
	} while (0)
#else
#define check_insert_rights(rte, columns) \
	((rte)->requiredPerms = ACL_INSERT, (rte)->insertedCols = (columns), \
	 (void) ExecCheckRTPerms(list_make1(rte), true))
#endif

/* 14 can report a constraint of a relation that is in no range table. */
#if PG_VERSION_NUM >= 140000
#define init_lone_relation(target, relation, rte, estate) \
	((void) (rte), InitResultRelInfo((target), (relation), 0, NULL, 0))
#else
#define init_lone_relation(target, relation, rte, estate) \
	(ExecInitRangeTable((estate), list_make1(rte)), InitResultRelInfo((target), (relation), 1, NULL, 0))
#endif

/* 14 gave the raw parser modes. */
#if PG_VERSION_NUM >= 140000
#define parse_statements(text) raw_parser(text, RAW_PARSE_DEFAULT)
#else
#define parse_statements(text) raw_parser(text)
#endif

/*
 * Before 15 PostgreSQL has a node type Value of its own.  Whatever mentions it is
 * included here, before the name becomes ours.
 */
#if PG_VERSION_NUM < 150000
#include "nodes/makefuncs.h"
#include "nodes/parsenodes.h"
#include "nodes/value.h"
#include "parser/parse_node.h"
#include "parser/parser.h"
#define Value ResoluteValue
#endif

#endif							/* RESOLUTE_COMPAT_H */
