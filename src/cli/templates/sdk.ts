// What scripts are called with.

export interface ProxyConfiguration {
    endpoint: string;
    method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    headers?: Record<string, string>;
    params?: string | Record<string, string | number | boolean | string[]>;
    data?: unknown;
    /** How often a call that failed is made again; default 0. */
    retries?: number;
    /** Statuses after which it is, besides the usual ones. */
    retryOn?: number[];
    retryHeader?: { at?: string; after?: string };
    baseUrlOverride?: string;
    responseType?: 'arraybuffer' | 'blob' | 'document' | 'json' | 'text' | 'stream';
    decompress?: boolean;
    providerConfigKey?: string;
    connectionId?: string;
    paginate?: NangoPagination;
}

export interface NangoPagination {
    type?: 'cursor' | 'link' | 'offset';
    /** Where the list is in the answer, with dots; the answer itself unless given. */
    response_path?: string;
    limit?: number;
    limit_name_in_request?: string;
    in_body?: boolean;
    cursor_name_in_request?: string;
    cursor_path_in_response?: string;
    link_rel_in_response_header?: string;
    link_path_in_response_body?: string;
    offset_name_in_request?: string;
    offset_start_value?: number;
    offset_calculation_method?: 'per-page' | 'by-response-size';
    on_page?: (page: { nextPageParam?: string | number | undefined; response: NangoResponse<any> }) => Promise<void>;
}

export interface NangoResponse<T> {
    data: T;
    status: number;
    statusText: string;
    headers: Record<string, string>;
}

export interface NangoConnection {
    id: number;
    connection_id: string;
    provider_config_key: string;
    provider: string;
    created_at: string;
    updated_at: string;
    metadata: Record<string, any> | null;
    connection_config: Record<string, any>;
    credentials: Record<string, any>;
}

export type NangoLogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface NangoAction {
    readonly connectionId: string;
    readonly providerConfigKey: string;
    readonly provider: string;
    readonly environmentId: number;
    readonly environmentName: string;
    readonly activityLogId: string;
    /** Aborted when the run is cancelled. */
    readonly abortSignal: AbortSignal;
    /** To be thrown: its payload is what the caller gets. */
    readonly ActionError: new (payload?: Record<string, unknown>) => Error;

    proxy<T = any>(config: ProxyConfiguration): Promise<NangoResponse<T>>;
    get<T = any>(config: Omit<ProxyConfiguration, 'method'>): Promise<NangoResponse<T>>;
    post<T = any>(config: Omit<ProxyConfiguration, 'method'>): Promise<NangoResponse<T>>;
    put<T = any>(config: Omit<ProxyConfiguration, 'method'>): Promise<NangoResponse<T>>;
    patch<T = any>(config: Omit<ProxyConfiguration, 'method'>): Promise<NangoResponse<T>>;
    delete<T = any>(config: Omit<ProxyConfiguration, 'method'>): Promise<NangoResponse<T>>;
    /** Page after page of a list. */
    paginate<T = any>(config: ProxyConfiguration): AsyncGenerator<T[], undefined, void>;

    getConnection(providerConfigKey?: string, connectionId?: string): Promise<NangoConnection>;
    getMetadata<T = Record<string, any>>(): Promise<T>;
    setMetadata(metadata: Record<string, any>): Promise<unknown>;
    updateMetadata(metadata: Record<string, any>): Promise<unknown>;
    getFieldMapping(): Promise<Record<string, any>>;
    setFieldMapping(mapping: Record<string, string>): Promise<unknown>;
    getWebhookURL(): Promise<string | null | undefined>;
    getEnvironmentVariables(): Promise<{ name: string; value: string }[] | null>;
    getFlowAttributes<T = object>(): T | null;
    triggerAction<T = any>(providerConfigKey: string, connectionId: string, action: string, input?: unknown): Promise<T>;

    getCheckpoint<T = Record<string, string | number | boolean>>(): Promise<T | null>;
    saveCheckpoint(checkpoint: Record<string, string | number | boolean>): Promise<void>;
    clearCheckpoint(): Promise<void>;
    tryAcquireLock(lock: { key: string; ttlMs: number }): Promise<boolean>;
    releaseLock(lock: { key: string }): Promise<boolean>;

    /** The last argument may be {level}. */
    log(message: unknown, ...more: (unknown | { level: NangoLogLevel })[]): Promise<void>;
}

export interface NangoSync extends NangoAction {
    readonly syncId: string;
    /** When the last run that went well began; none in the first. */
    readonly lastSyncDate?: Date;
    readonly variant: string;

    batchSave<T extends { id: string | number } = any>(records: T[], model: string): Promise<boolean>;
    batchUpdate<T extends { id: string | number } = any>(records: T[], model: string): Promise<boolean>;
    batchDelete<T extends { id: string | number } = any>(records: T[], model: string): Promise<boolean>;
    getRecordsByIds<K = string | number, T = any>(ids: K[], model: string): Promise<Map<K, T>>;
    listRecords<T = any>(model: string, options?: { cursor?: string }): AsyncGenerator<T>;
    trackDeletesStart(model: string): Promise<void>;
    trackDeletesEnd(model: string): Promise<{ deletedKeys: string[] }>;
}
