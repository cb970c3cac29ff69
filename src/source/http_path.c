/*
 * http_path.c
 *		Paths of requests, and texts in them.
 */
#include "source/http_private.h"

#include "lib/stringinfo.h"

void
http_check_path(const char *path)
{
	const char *reason = NULL;
	Size		end = strcspn(path, "?");

	if (path[0] != '/')
		reason = "It does not begin with a slash.";
	else if (path[1] == '/')
		reason = "It begins with two slashes.";
	for (const char *c = path; *c && !reason; c++)
		if ((unsigned char) *c <= ' ' || (unsigned char) *c >= 0x7f || strchr("\\#", *c))
			reason = "It contains a character that a URL cannot have.";
	for (Size i = 0; i < end && !reason; i++)
		if (path[i] == '/')
		{
			const char *c = path + i + 1;
			int			dots = 0;

			/* A dot may be encoded, which servers undo. */
			for (;; dots++)
			{
				if (*c == '.')
					c++;
				else if (pg_strncasecmp(c, "%2e", 3) == 0)
					c += 3;
				else
					break;
			}
			if (dots > 0 && dots <= 2 && (*c == '/' || *c == '?' || *c == '\0'))
				reason = "It contains a relative segment.";
		}
	if (reason)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid path of a request"),
				 errdetail_internal("%s", reason)));
}

char *
http_url_encode(const char *text)
{
	StringInfoData out;

	initStringInfo(&out);
	for (const unsigned char *c = (const unsigned char *) text; *c; c++)
	{
		if ((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
			(*c >= 'A' && *c <= 'Z') || strchr("-._~", *c))
			appendStringInfoChar(&out, *c);
		else
			appendStringInfo(&out, "%%%02X", *c);
	}
	return out.data;
}
