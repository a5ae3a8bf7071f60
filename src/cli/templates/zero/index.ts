// The scripts of this project: what is imported here is compiled and deployed.
import './github/syncs/issues.js';
import './github/actions/create-issue.js';
