// The issues of one repository. Which one is in the connection's metadata: {"owner": "…", "repo": "…"}.
import { createSync } from 'nango';
import * as z from 'zod';

const Issue = z.object({
    id: z.string(),
    number: z.number(),
    title: z.string(),
    state: z.string(),
    updated: z.string()
});

interface GithubIssue {
    id: number;
    number: number;
    title: string;
    state: string;
    updated_at: string;
    pull_request?: object;
}

export default createSync({
    description: 'Keeps the issues of a repository',
    version: '0.1.0',
    frequency: 'every hour',
    autoStart: true,
    models: { Issue },
    metadata: z.object({ owner: z.string(), repo: z.string() }),
    checkpoint: z.object({ since: z.string() }),

    exec: async (nango) => {
        const { owner, repo } = await nango.getMetadata();
        const checkpoint = await nango.getCheckpoint();
        const pages = nango.paginate<GithubIssue>({
            endpoint: `/repos/${owner}/${repo}/issues`,
            params: { state: 'all', sort: 'updated', direction: 'asc', ...(checkpoint ? { since: checkpoint.since } : {}) },
            paginate: { type: 'link', link_rel_in_response_header: 'next', limit_name_in_request: 'per_page', limit: 100 },
            retries: 3
        });

        for await (const page of pages) {
            // GitHub lists pull requests among the issues.
            const issues = page.filter((issue) => issue.pull_request === undefined);
            await nango.batchSave(
                issues.map(({ id, number, title, state, updated_at }) => ({ id: String(id), number, title, state, updated: updated_at })),
                'Issue'
            );
            // The oldest come first: a run that ends early goes on from here.
            const last = page.at(-1);
            if (last) {
                await nango.saveCheckpoint({ since: last.updated_at });
            }
        }
        await nango.log('All issues are up to date');
    }
});
