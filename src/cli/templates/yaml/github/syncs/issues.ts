// The issues of one repository. Which one is in the connection's metadata: {"owner": "…", "repo": "…"}.
import type { Issue, NangoSync, Repository } from '../../models.js';

interface GithubIssue {
    id: number;
    number: number;
    title: string;
    state: Issue['state'];
    updated_at: string;
    pull_request?: object;
}

export default async function fetchData(nango: NangoSync): Promise<void> {
    const { owner, repo } = await nango.getMetadata<Repository>();
    const pages = nango.paginate<GithubIssue>({
        endpoint: `/repos/${owner}/${repo}/issues`,
        params: { state: 'all', ...(nango.lastSyncDate ? { since: nango.lastSyncDate.toISOString() } : {}) },
        paginate: { type: 'link', link_rel_in_response_header: 'next', limit_name_in_request: 'per_page', limit: 100 },
        retries: 3
    });

    for await (const page of pages) {
        // GitHub lists pull requests among the issues.
        const issues = page.filter((issue) => issue.pull_request === undefined);
        await nango.batchSave<Issue>(
            issues.map(({ id, number, title, state, updated_at }) => ({ id: String(id), number, title, state, updated: updated_at })),
            'Issue'
        );
    }
}
