// Opens an issue, and answers with where it is.
import type { IssueMade, NangoAction, NewIssue } from '../../models.js';

export default async function runAction(nango: NangoAction, input: NewIssue): Promise<IssueMade> {
    if (input.title.trim() === '') {
        throw new nango.ActionError({ message: 'An issue needs a title' });
    }
    const { data } = await nango.post<{ number: number; html_url: string }>({
        endpoint: `/repos/${input.owner}/${input.repo}/issues`,
        data: { title: input.title, body: input.body ?? '' },
        retries: 3
    });
    return { number: data.number, url: data.html_url };
}
